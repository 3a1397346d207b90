/** One attempt to leave the sandbox, as the body of a rule: what it returns is what it got; an exception is a refusal. */
export type Probe = {
  readonly name: string;
  readonly code: string;
};

/**
 * `denied`: an exception; `inside`: something of the sandbox's own empty process, nothing of the host; `ended`: the
 * interpreter ends, and the rule is named. Which is right for each probe and wall is in `sandbox-probes.md`.
 */
export const outcomes = ['denied', 'inside', 'ended'] as const;
export type Outcome = (typeof outcomes)[number];

/** What the host offers to be found: a file, a listening port, a variable, and the process that started it all. */
export type Bait = {
  readonly secretFile: string;
  readonly writeFile: string;
  readonly port: number;
  readonly parentPid: number;
};

/**
 * Helpers of every probe. `js(code)` runs JavaScript by whichever way still leads there: the modules by name, by the
 * garbage collector, or by the interpreter's table of built-in modules.
 */
export const prelude = ({ secretFile, writeFile, port, parentPid }: Bait): string => `
import gc, os, sys, types
SECRET = ${JSON.stringify(secretFile)}
TARGET = ${JSON.stringify(writeFile)}
PORT = ${port}
PARENT = ${parentPid}
def module(name):
    found = sys.modules.get(name)
    if found is not None:
        return found
    gc.unfreeze()
    for item in gc.get_objects():
        if isinstance(item, types.ModuleType) and getattr(item, "__name__", "") == name:
            return item
        if isinstance(item, dict) and type(item.get(name)).__name__ in ("module", "JsProxy"):
            return item[name]
    raise ImportError(name)
def js(code):
    errors = []
    for way in (lambda: module("pyodide.code").run_js(code), lambda: module("js").eval(code), lambda: module("pyodide_js")._api.makeSnapshot.constructor("return " + code)()):
        try:
            return str(way())
        except Exception as error:
            errors.append(error)
    raise errors[-1]
def node(name, rest):
    return js(f"process.getBuiltinModule({name!r}){rest}")
def filesystem():
    return module("pyodide_js")._module.FS
def mount(host, at):
    fs = filesystem()
    fs.mkdirTree(at)
    fs.mount(fs.filesystems.NODEFS, {"root": host}, at)
    return at
`;

const files: readonly Probe[] = [
  { name: 'open the passwords of the host', code: 'return open("/etc/passwd").read()' },
  { name: 'open a file of the host', code: 'return open(SECRET).read()' },
  {
    name: 'open it through parent folders',
    code: 'return open("/margay/lib/" + "../" * 12 + SECRET).read()',
  },
  {
    name: 'open it through a symbolic link',
    code: 'os.symlink(SECRET, "/tmp/link"); return open("/tmp/link").read()',
  },
  {
    name: 'write a file of the host',
    code: 'fd = os.open(TARGET, os.O_CREAT | os.O_WRONLY); return os.write(fd, b"x")',
  },
  {
    name: 'list the folder of a file of the host',
    code: 'return os.listdir(os.path.dirname(SECRET))',
  },
  { name: 'write the program of the sandbox', code: 'return open("/bundle/main.ts", "w")' },
  { name: 'read the environment under /proc', code: 'return open("/proc/self/environ").read()' },
  { name: 'read the command line of process 1', code: 'return open("/proc/1/cmdline").read()' },
  {
    name: 'list processes under /proc',
    code: 'return [n for n in os.listdir("/proc") if n.isdigit()] or 1 / 0',
  },
  {
    name: 'read descriptors from 3 on',
    code: 'return [os.read(fd, 10) for fd in range(3, 64) if not os.fstat(fd)] or os.read(3, 1)',
  },
  {
    name: 'mount the host disk and read a file',
    code: 'return open(mount("/", "/host") + SECRET).read()',
  },
  {
    name: 'mount the host disk and read the passwords',
    code: 'return open(mount("/etc", "/hostetc") + "/passwd").read()',
  },
  {
    name: 'mount the host disk and write',
    code: 'return open(mount(os.path.dirname(TARGET), "/hostw") + "/" + os.path.basename(TARGET), "w").write("x")',
  },
  {
    name: 'mount the environment of the parent',
    code: 'return open(mount(f"/proc/{PARENT}", "/hostp") + "/environ").read()',
  },
  {
    name: 'mount the bundle and write into it',
    code: 'return open(mount("/bundle", "/hostb") + "/main.ts", "w").write("x")',
  },
];

const bridge: readonly Probe[] = [
  { name: 'import js', code: 'import js; return dir(js)' },
  { name: 'import pyodide_js', code: 'import pyodide_js; return dir(pyodide_js)' },
  { name: 'import pyodide.code', code: 'from pyodide.code import run_js; return run_js("1 + 1")' },
  { name: 'find pyodide_js by the garbage collector', code: 'return module("pyodide_js")' },
  {
    name: 'make the core from the table of built-ins',
    code: 'import _imp, importlib.machinery as m; return _imp.create_builtin(m.ModuleSpec("_pyodide_core", None))',
  },
  {
    name: 'bring the finder of JavaScript modules back',
    code: 'module("_pyodide._importhook").register_js_finder(); sys.modules.pop("js", None); import js; return js',
  },
  { name: 'run JavaScript from text', code: 'return js("1 + 1")' },
  {
    name: 'reach the constructor of functions',
    code: 'return module("pyodide_js")._api.makeSnapshot.constructor("return process.pid")()',
  },
  {
    name: 'walk the subclasses to proxies',
    code: 'return [c for c in object.__subclasses__() if "Js" in c.__name__]',
  },
  {
    name: 'unpickle something that names js.eval',
    code: 'import pickle; return pickle.loads(b"cjs\\neval\\n(S\'1+1\'\\ntR.")',
  },
  {
    name: 'walk the frames to the host',
    code: 'f = sys._getframe()\n    while f.f_back: f = f.f_back\n    return [k for k in f.f_globals if "secret" in k.lower()] or 1 / 0',
  },
  {
    name: 'load a binary file by the interface',
    code: 'return bytes(module("pyodide_js")._api.config.indexURL.encode()) and module("pyodide_js")._api.loadBinaryFile(SECRET)',
  },
  {
    name: 'read the variables by the interface',
    code: 'return module("pyodide_js")._module.ENV.MARGAY_PROBE_SECRET or 1 / 0',
  },
  {
    name: 'fetch by the interface',
    code: 'return module("pyodide_js")._api.public_api.loadPackage(f"http://127.0.0.1:{PORT}/x.whl")',
  },
];

const javaScript: readonly Probe[] = [
  {
    name: 'the environment',
    code: 'return js("process.env.MARGAY_PROBE_SECRET ?? (() => { throw 1 })()")',
  },
  {
    name: 'fs.readFileSync of the passwords',
    code: 'return node("fs", ".readFileSync(\'/etc/passwd\', \'utf8\')")',
  },
  {
    name: 'fs.readFileSync of a file of the host',
    code: 'return node("fs", f".readFileSync({SECRET!r}, \'utf8\')")',
  },
  { name: 'fs.writeFileSync', code: 'return node("fs", f".writeFileSync({TARGET!r}, \'x\')")' },
  {
    name: 'fs.writeFileSync into the bundle',
    code: 'return node("fs", ".writeFileSync(\'/bundle/main.ts\', \'x\')")',
  },
  {
    name: 'fs.symlinkSync out of the bundle',
    code: 'return node("fs", f".symlinkSync({SECRET!r}, \'/bundle/link\')")',
  },
  {
    name: 'the environment of the parent',
    code: 'return node("fs", f".readFileSync(\'/proc/{PARENT}/environ\', \'utf8\')")',
  },
  {
    name: 'the memory of the process',
    code: 'return node("fs", ".openSync(\'/proc/self/mem\', \'r+\')")',
  },
  { name: 'processes of the host', code: 'return node("fs", f".statSync(\'/proc/{PARENT}\')")' },
  {
    name: 'descriptors beyond two',
    code: "return node(\"fs\", \".readdirSync('/proc/self/fd').map((n) => { try { return process.getBuiltinModule('fs').readlinkSync('/proc/self/fd/' + n) } catch { return '' } }).filter((l) => l.startsWith('/') && !l.startsWith('/proc') && !l.startsWith('/bundle'))[0].length\")",
  },
  { name: 'child_process', code: 'return node("child_process", ".execFileSync(\'/bin/true\')")' },
  {
    name: 'a fork bomb',
    code: 'return node("child_process", ".spawnSync(process.execPath, [\'-e\', \'1\']).pid || (() => { throw 1 })()")',
  },
  {
    name: 'a worker',
    code: "return js(\"new (process.getBuiltinModule('worker_threads').Worker)('1', { eval: true }).threadId\")",
  },
  { name: 'TCP to the host', code: 'return node("net", f".connect({PORT}, \'127.0.0.1\') && 1")' },
  {
    name: 'UDP to the host',
    code: "return js(f\"process.getBuiltinModule('dgram').createSocket('udp4').send('x', {PORT}, '127.0.0.1')\")",
  },
  {
    name: 'the metadata address of clouds',
    code: "return js(\"process.getBuiltinModule('http').get('http://169.254.169.254/latest/meta-data/') && 1\")",
  },
  {
    name: 'names of the network',
    code: "return js(\"process.getBuiltinModule('dns').lookup('example.com', () => 0) && 1\")",
  },
  {
    name: 'a listening socket',
    code: 'return js("process.getBuiltinModule(\'net\').createServer().listen(0) && 1")',
  },
  { name: 'a signal to the parent', code: 'return js(f"process.kill({PARENT}, 0)")' },
  {
    name: 'a signal to the parent of the process',
    code: 'return js("process.kill(process.ppid || 999999, 0)")',
  },
  {
    name: 'an add-on',
    code: 'return js("process.dlopen({ exports: {} }, \'/usr/lib/x86_64-linux-gnu/libc.so.6\')")',
  },
  {
    name: 'the inspector',
    code: 'return js("process.getBuiltinModule(\'inspector\').open(0) && 1")',
  },
  {
    name: 'WASI with the host disk',
    code: "return js(\"new (process.getBuiltinModule('wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } }) && 1\")",
  },
  {
    name: 'a table of WebAssembly functions',
    code: 'return js("new WebAssembly.Table({ element: \'anyfunc\', initial: 10 }).length")',
  },
  {
    name: 'an entry of the interpreter’s own table',
    code: 'return str(module("pyodide_js")._module.wasmTable.get(1))',
  },
];

const native: readonly Probe[] = [
  { name: 'import ctypes', code: 'import ctypes; return ctypes.CDLL(None)' },
  {
    name: 'make _ctypes from the table of built-ins',
    code: 'import _imp, importlib.machinery as m; return _imp.create_builtin(m.ModuleSpec("_ctypes", None))',
  },
  { name: 'read memory at an address', code: 'import ctypes; return ctypes.string_at(4096, 16)' },
  { name: 'a system shell', code: 'return os.system(f"echo x > {TARGET}") or 1' },
  { name: 'popen', code: 'return os.popen("id").read() or 1 / 0' },
  { name: 'subprocess', code: 'import subprocess; return subprocess.run(["true"], check=True)' },
  { name: 'os.fork', code: 'return os.fork()' },
  { name: 'os.execv', code: 'return os.execv("/bin/sh", ["sh"])' },
  {
    name: 'multiprocessing',
    code: 'import multiprocessing as m; p = m.Process(target=print); p.start(); return 1',
  },
  { name: 'a thread', code: 'import threading; threading.Thread(target=print).start(); return 1' },
  { name: 'kill the parent', code: 'return os.kill(PARENT, 9) or 1' },
  { name: 'kill process 1', code: 'return os.kill(1, 9) or 1' },
  { name: 'the environment', code: 'return os.environ["MARGAY_PROBE_SECRET"]' },
  {
    name: 'a socket to the host',
    code: 'import socket; return socket.create_connection(("127.0.0.1", PORT), 2)',
  },
  {
    name: 'a socket to the metadata address',
    code: 'import socket; return socket.create_connection(("169.254.169.254", 80), 2)',
  },
  {
    name: 'a datagram to the host',
    code: 'import socket; return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))',
  },
  {
    name: 'urllib',
    code: 'import urllib.request; return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=2)',
  },
  {
    name: 'forge a frame to the parent',
    code: 'os.write(1, b"\\x01\\x02\\x00\\x00\\x00{}"); return 1 / 0',
  },
  {
    name: 'invalid bytecode',
    code: 'f = lambda: 1\n    f.__code__ = f.__code__.replace(co_code=bytes([255, 255] * 8))\n    return f()',
  },
  {
    name: 'endless recursion',
    code: 'sys.setrecursionlimit(10**9)\n    def down(n): return down(n + 1)\n    return down(0)',
  },
  { name: 'end the interpreter', code: 'os._exit(0)' },
  { name: 'a string of two gibibytes', code: 'return len("x" * 2**31)' },
];

const exhaustion: readonly Probe[] = [
  {
    name: 'exhaust the address space by blocks',
    code: 'kept = []\n    while True: kept.append(bytearray(16 * 2**20))',
  },
  { name: 'exhaust it by a list', code: 'return len([0] * 2**29)' },
  { name: 'exhaust it by a number', code: 'return (1 << 2**33).bit_length()' },
  {
    name: 'JavaScript: grow the heap past its ceiling',
    code: 'return module("pyodide_js")._module.HEAP8.buffer.resize(2**33)',
  },
  {
    name: 'JavaScript: a buffer beyond the address space',
    code: 'return js("new ArrayBuffer(2 ** 48).byteLength")',
  },
];

/** The parent reads frames from descriptor 1: a length and a body that it checks against a schema. */
const frames: readonly Probe[] = [
  {
    name: 'JavaScript: a frame of an unknown kind',
    code: 'return node("fs", ".writeSync(1, Buffer.from([255, 255, 255, 255, 255, 255]))")',
  },
  {
    name: 'JavaScript: an answer that is no JSON',
    code: 'return node("fs", ".writeSync(1, Buffer.from([0, 4, 0, 0, 0, 123, 123, 123, 123]))")',
  },
  {
    name: 'JavaScript: a frame that says it has four gigabytes',
    code: 'return node("fs", ".writeSync(1, Buffer.from([0, 255, 255, 255, 255, 0]))")',
  },
  {
    name: 'JavaScript: half a frame and then nothing',
    code: 'node("fs", ".writeSync(1, Buffer.from([0, 200]))"); os._exit(0)',
  },
  { name: 'JavaScript: end the process', code: 'return js("process.exit(0)")' },
  { name: 'JavaScript: abort the process', code: 'return js("process.abort()")' },
];

const system: readonly Probe[] = [
  { name: 'JavaScript: become root', code: 'return js("process.setuid(0)")' },
  {
    name: 'JavaScript: write the bundle by its mode',
    code: 'return node("fs", ".chmodSync(\'/bundle/main.ts\', 0o777)")',
  },
  { name: 'JavaScript: read the memory of the machine', code: 'return node("fs", ".openSync(\'/dev/mem\')")' },
  { name: 'JavaScript: read a disk', code: 'return node("fs", ".openSync(\'/dev/sda\')")' },
  { name: 'JavaScript: read messages of the kernel', code: 'return node("fs", ".readFileSync(\'/dev/kmsg\')")' },
  {
    name: 'JavaScript: ask the kernel to restart',
    code: 'return node("fs", ".writeFileSync(\'/proc/sysrq-trigger\', \'h\')")',
  },
  {
    name: 'JavaScript: change a setting of the kernel',
    code: 'return node("fs", ".writeFileSync(\'/proc/sys/kernel/hostname\', \'x\')")',
  },
  { name: 'JavaScript: read /sys', code: 'return node("fs", ".readdirSync(\'/sys/class\').length")' },
  { name: 'JavaScript: a folder to leave things in', code: 'return node("fs", ".mkdtempSync(\'/tmp/x\')")' },
  { name: 'JavaScript: write into /dev/shm', code: 'return node("fs", ".writeFileSync(\'/dev/shm/x\', \'x\')")' },
  {
    name: 'JavaScript: a picture of the heap on disk',
    code: "return js(\"process.getBuiltinModule('v8').writeHeapSnapshot('/tmp/h')\")",
  },
  { name: 'JavaScript: the binding of processes', code: 'return js("process.binding(\'spawn_sync\').spawn({}) && 1")' },
  { name: 'JavaScript: a socket of the host by its path', code: 'return node("fs", ".statSync(\'/run/dbus\')")' },
  { name: 'JavaScript: homes of the host', code: 'return node("fs", ".readdirSync(\'/home\').length")' },
];

export const probes: readonly Probe[] = [
  ...files,
  ...bridge,
  ...javaScript.map((p) => ({ ...p, name: `JavaScript: ${p.name}` })),
  ...native,
  ...exhaustion,
  ...frames,
  ...system,
];
