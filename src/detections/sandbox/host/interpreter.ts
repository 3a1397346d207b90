/** Pyodide as the sandbox uses it: started cold or from a snapshot, its bridge to JavaScript out of sight. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
type Instance = { readonly exports: { readonly memory: Memory } };

type Device = { readonly file: string; readonly operations: object };

type Callable<Result = void> = (...args: readonly unknown[]) => Result;

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
  pyimport(name: 'margay_host'): { Bridge(isRestored: boolean): Bridge };
  makeMemorySnapshot(): Uint8Array;
  readonly _api: { readonly config: { _loadSnapshot?: unknown } };
};

type Bridge = { hide(): void; show(): void; step(): void };

type ModuleSettings = {
  instantiateWasm(imports: object, done: (instance: Instance, module: unknown) => unknown): unknown;
};

export type Interpreter = {
  /** Puts the bytes where the guest reads them, runs its step and returns what it wrote. */
  step(header: Uint8Array, body: Uint8Array): Uint8Array;
  /** Lays a file before the guest. */
  put(file: string, bytes: Uint8Array): void;
  /** The whole memory, from which a process of the same build can go on. */
  snapshot(): Uint8Array;
};

const pageBytes = 65_536;

/** The snapshot may be larger than the memory the module starts with, so that is grown before anything runs in it. */
const growing =
  (createModule: Callable<unknown>, bytes: number): Callable<unknown> =>
  (settings) => {
    const given = settings as ModuleSettings;
    const instantiate = given.instantiateWasm;
    given.instantiateWasm = (imports, done) =>
      instantiate(imports, (instance, module) => {
        const { memory } = instance.exports;
        const missing = Math.ceil(bytes / pageBytes) - memory.buffer.byteLength / pageBytes;
        if (missing > 0) memory.grow(missing);
        return done(instance, module);
      });
    return createModule(settings);
  };

function writeGuest(python: Pyodide, bundle: string): void {
  python.FS.mkdirTree('/margay/lib');
  for (const name of fs.readdirSync(path.join(bundle, 'guest'), { recursive: true, encoding: 'utf8' })) {
    const source = path.join(bundle, 'guest', name);
    if (!fs.statSync(source).isFile()) continue;
    const target = `/margay/lib/${name}`;
    python.FS.mkdirTree(path.posix.dirname(target));
    python.FS.writeFile(target, fs.readFileSync(source));
  }
}

/** For a cold start only: a restored interpreter has the module already, and running source would warm up the compiler. */
function makeBridge(python: Pyodide): Bridge {
  return python.runPython(`
import sys
sys.path.insert(0, "/margay/lib")
import margay_host
margay_host.Bridge(False)
`) as Bridge;
}

/** Gives back what only the start needed, a quarter of the process. */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

/**
 * What code that broke out of Python would reach for first; running code from text is switched off when the process is
 * started. Hygiene, not a wall: the process around it is empty.
 */
function lockJavaScript(): void {
  const names = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'Worker', 'navigator'];
  for (const name of names) Object.defineProperty(globalThis, name, { value: undefined, configurable: false });
}

/** Does what does not depend on how the interpreter will start, and returns how to start it. */
export async function prepareInterpreter(bundle: string) {
  const folder = path.join(bundle, 'pyodide/');
  // Under the permission model Node refuses process.binding; Pyodide asks it for these constants only.
  Object.defineProperty(process, 'binding', { value: () => ({ fs: fs.constants }) });
  const { loadPyodide } = await import(pathToFileURL(path.join(folder, 'pyodide.mjs')).href);
  const { default: createModule } = await import(pathToFileURL(path.join(folder, 'pyodide.asm.mjs')).href);
  const silent = () => undefined;
  return async (image: Uint8Array | undefined, devices: readonly Device[]): Promise<Interpreter> => {
    const python: Pyodide = await loadPyodide({
      indexURL: folder,
      jsglobals: Object.freeze(Object.create(null)),
      env: { HOME: '/margay', PYTHONDONTWRITEBYTECODE: '1' },
      stdout: silent,
      stderr: silent,
      stdin: () => null,
      _makeSnapshot: true,
      ...(image && { _loadSnapshot: image, createPyodideModule: growing(createModule, image.length) }),
    });
    writeGuest(python, bundle);
    for (const [index, { file, operations }] of devices.entries()) {
      const device = python.FS.makedev(64, index);
      python.FS.registerDevice(device, { open: silent, close: silent, ...operations });
      python.FS.mkdev(file, 0o666, device);
    }
    const bridge = image ? python.pyimport('margay_host').Bridge(true) : makeBridge(python);
    // Pyodide would keep the bytes of the snapshot beside the heap that was made of them.
    python._api.config._loadSnapshot = undefined;
    lockJavaScript();
    bridge.hide();
    return {
      step(header, body) {
        python.FS.writeFile('/margay/request', header);
        python.FS.writeFile('/margay/records', body);
        bridge.step();
        return python.FS.readFile('/margay/answer');
      },
      put: (file, bytes) => python.FS.writeFile(file, bytes),
      snapshot() {
        bridge.show();
        const bytes = python.makeMemorySnapshot();
        bridge.hide();
        return bytes;
      },
    };
  };
}
