/**
 * The process that runs a tenant's Python: Pyodide, one request at a time, frames on standard input and output.
 * Started behind both walls by the pool; it has no network, no environment and can read its own bundle only.
 * A frame is: header length and body length (unsigned 32 bit, little endian), header (JSON), body.
 */
import { readSync, writeSync } from 'node:fs';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const bundle = import.meta.dirname;

// Under the permission model Node refuses process.binding; Pyodide asks it for these constants only.
Object.defineProperty(process, 'binding', { value: () => ({ fs: fs.constants }) });

type Pyodide = {
  FS: {
    mkdirTree(folder: string): void;
    writeFile(file: string, bytes: Uint8Array): void;
    readFile(file: string): Uint8Array;
    makedev(major: number, minor: number): number;
    registerDevice(device: number, operations: object): void;
    mkdev(file: string, mode: number, device: number): void;
  };
  runPython(code: string): unknown;
};

function readExactly(length: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    let count = 0;
    try {
      count = readSync(0, buffer, filled, length - filled, null);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') continue;
      throw error;
    }
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer;
}

/** Kinds of frames to the parent: 1 answer, 2 progress (rule and record number), 3 ready. */
function writeFrame(kind: number, body: Uint8Array): void {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32LE(body.length, 1);
  const frame = Buffer.concat([head, body]);
  for (let sent = 0; sent < frame.length;) {
    try {
      sent += writeSync(1, frame, sent);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') continue;
      throw error;
    }
  }
}

async function start(): Promise<() => void> {
  const { loadPyodide } = await import(pathToFileURL(path.join(bundle, 'pyodide/pyodide.mjs')).href);
  const silent = () => undefined;
  const python: Pyodide = await loadPyodide({
    indexURL: path.join(bundle, 'pyodide/'),
    jsglobals: Object.freeze(Object.create(null)),
    env: { HOME: '/margay', PYTHONDONTWRITEBYTECODE: '1' },
    stdout: silent,
    stderr: silent,
    stdin: () => null,
  });
  python.FS.mkdirTree('/margay/lib');
  for (const name of fs.readdirSync(path.join(bundle, 'guest'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.(?:py|json)$/.test(name)) continue;
    const target = `/margay/lib/${name}`;
    python.FS.mkdirTree(path.posix.dirname(target));
    python.FS.writeFile(target, fs.readFileSync(path.join(bundle, 'guest', name)));
  }
  const device = python.FS.makedev(64, 0);
  python.FS.registerDevice(device, {
    open: silent,
    close: silent,
    write: (_stream: unknown, buffer: Int8Array, offset: number, length: number) => {
      writeFrame(2, new Uint8Array(buffer.buffer, buffer.byteOffset + offset, Math.min(length, 8)));
      return length;
    },
  });
  python.FS.mkdev('/margay/progress', 0o666, device);
  const step = python.runPython(`
import sys
sys.path.insert(0, "/margay/lib")
import margay_engine
closed = ("js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core", "ctypes", "_ctypes")
for name in list(sys.modules):
    if name.split(".")[0] in closed:
        del sys.modules[name]
# None makes an import fail. This is hygiene, not a wall: code in here may undo it and then reaches an empty process.
sys.modules.update(dict.fromkeys(closed))
sys.meta_path[:] = [finder for finder in sys.meta_path if "pyodide" not in type(finder).__module__.lower()]
margay_engine.step
`) as () => void;
  const requestFile = '/margay/request';
  return () => {
    for (;;) {
      const lengths = readExactly(8);
      if (lengths === undefined) return;
      const header = readExactly(lengths.readUInt32LE(0));
      const body = readExactly(lengths.readUInt32LE(4));
      if (header === undefined || body === undefined) return;
      python.FS.writeFile(requestFile, header);
      python.FS.writeFile('/margay/records', body);
      step();
      writeFrame(1, python.FS.readFile('/margay/answer'));
    }
  };
}

const serve = await start();
writeFrame(3, new Uint8Array(0));
serve();
process.exit(0);
