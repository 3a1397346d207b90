/** One attempt to leave the sandbox, as the body of a rule: what it returns is what it got; an exception is a refusal. */
export type Probe = {
  readonly name: string;
  readonly code: string;
  /**
   * What comes of it with both walls, with the inner one only and with the outer one only. `denied`: an exception;
   * `inside`: something of the sandbox's own empty process, nothing of the host; `ended`: the interpreter ends, and the
   * rule is named. In short where all three are equal.
   */
  readonly expected: Outcome | readonly [both: Outcome, onlyInner: Outcome, onlyOuter: Outcome];
};

export type Outcome = 'denied' | 'inside' | 'ended';

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
  { name: 'open the passwords of the host', code: 'return open("/etc/passwd").read()', expected: 'denied' },
  { name: 'open a file of the host', code: 'return open(SECRET).read()', expected: 'denied' },
  {
    name: 'open it through parent folders',
    code: 'return open("/margay/lib/" + "../" * 12 + SECRET).read()',
    expected: 'denied',
  },
  {
    name: 'open it through a symbolic link',
    code: 'os.symlink(SECRET, "/tmp/link"); return open("/tmp/link").read()',
    expected: 'denied',
  },
  {
    name: 'write a file of the host',
    code: 'fd = os.open(TARGET, os.O_CREAT | os.O_WRONLY); return os.write(fd, b"x")',
    expected: 'denied',
  },
  {
    name: 'list the folder of a file of the host',
    code: 'return os.listdir(os.path.dirname(SECRET))',
    expected: 'denied',
  },
  { name: 'write the program of the sandbox', code: 'return open("/bundle/main.ts", "w")', expected: 'denied' },
  { name: 'read the environment under /proc', code: 'return open("/proc/self/environ").read()', expected: 'denied' },
  { name: 'read the command line of process 1', code: 'return open("/proc/1/cmdline").read()', expected: 'denied' },
  {
    name: 'list processes under /proc',
    code: 'return [n for n in os.listdir("/proc") if n.isdigit()] or 1 / 0',
    expected: 'denied',
  },
  {
    name: 'read descriptors from 3 on',
    code: 'return [os.read(fd, 10) for fd in range(3, 64) if not os.fstat(fd)] or os.read(3, 1)',
    expected: 'denied',
  },
  {
    name: 'mount the host disk and read a file',
    code: 'return open(mount("/", "/host") + SECRET).read()',
    expected: 'denied',
  },
  {
    name: 'mount the host disk and read the passwords',
    code: 'return open(mount("/etc", "/hostetc") + "/passwd").read()',
    expected: 'denied',
  },
  {
    name: 'mount the host disk and write',
    code: 'return open(mount(os.path.dirname(TARGET), "/hostw") + "/" + os.path.basename(TARGET), "w").write("x")',
    expected: 'denied',
  },
  {
    name: 'mount the environment of the parent',
    code: 'return open(mount(f"/proc/{PARENT}", "/hostp") + "/environ").read()',
    expected: 'denied',
  },
  {
    name: 'mount the bundle and write into it',
    code: 'return open(mount("/bundle", "/hostb") + "/main.ts", "w").write("x")',
    expected: 'denied',
  },
];

const bridge: readonly Probe[] = [
  { name: 'import js', code: 'import js; return dir(js)', expected: 'denied' },
  { name: 'import pyodide_js', code: 'import pyodide_js; return dir(pyodide_js)', expected: 'denied' },
  { name: 'import pyodide.code', code: 'from pyodide.code import run_js; return run_js("1 + 1")', expected: 'denied' },
  { name: 'find pyodide_js by the garbage collector', code: 'return module("pyodide_js")', expected: 'inside' },
  {
    name: 'make the core from the table of built-ins',
    code: 'import _imp, importlib.machinery as m; return _imp.create_builtin(m.ModuleSpec("_pyodide_core", None))',
    expected: 'inside',
  },
  {
    name: 'bring the finder of JavaScript modules back',
    code: 'module("_pyodide._importhook").register_js_finder(); sys.modules.pop("js", None); import js; return js',
    expected: 'inside',
  },
  { name: 'run JavaScript from text', code: 'return js("1 + 1")', expected: 'denied' },
  {
    name: 'reach the constructor of functions',
    code: 'return module("pyodide_js")._api.makeSnapshot.constructor("return process.pid")()',
    expected: 'denied',
  },
  {
    name: 'walk the subclasses to proxies',
    code: 'return [c for c in object.__subclasses__() if "Js" in c.__name__]',
    expected: 'inside',
  },
  {
    name: 'unpickle something that names js.eval',
    code: 'import pickle; return pickle.loads(b"cjs\\neval\\n(S\'1+1\'\\ntR.")',
    expected: 'denied',
  },
  {
    name: 'walk the frames to the host',
    code: 'f = sys._getframe()\n    while f.f_back: f = f.f_back\n    return [k for k in f.f_globals if "secret" in k.lower()] or 1 / 0',
    expected: 'denied',
  },
  {
    name: 'load a binary file by the interface',
    code: 'return bytes(module("pyodide_js")._api.config.indexURL.encode()) and module("pyodide_js")._api.loadBinaryFile(SECRET)',
    expected: 'inside',
  },
  {
    name: 'read the variables by the interface',
    code: 'return module("pyodide_js")._module.ENV.MARGAY_PROBE_SECRET or 1 / 0',
    expected: 'denied',
  },
  {
    name: 'fetch by the interface',
    code: 'return module("pyodide_js")._api.public_api.loadPackage(f"http://127.0.0.1:{PORT}/x.whl")',
    expected: 'inside',
  },
];

const javaScript: readonly Probe[] = [
  {
    name: 'the environment',
    code: 'return js("process.env.MARGAY_PROBE_SECRET ?? (() => { throw 1 })()")',
    expected: 'denied',
  },
  {
    name: 'fs.readFileSync of the passwords',
    code: 'return node("fs", ".readFileSync(\'/etc/passwd\', \'utf8\')")',
    expected: 'denied',
  },
  {
    name: 'fs.readFileSync of a file of the host',
    code: 'return node("fs", f".readFileSync({SECRET!r}, \'utf8\')")',
    expected: 'denied',
  },
  { name: 'fs.writeFileSync', code: 'return node("fs", f".writeFileSync({TARGET!r}, \'x\')")', expected: 'denied' },
  {
    name: 'fs.writeFileSync into the bundle',
    code: 'return node("fs", ".writeFileSync(\'/bundle/main.ts\', \'x\')")',
    expected: 'denied',
  },
  {
    name: 'fs.symlinkSync out of the bundle',
    code: 'return node("fs", f".symlinkSync({SECRET!r}, \'/bundle/link\')")',
    expected: 'denied',
  },
  {
    name: 'the environment of the parent',
    code: 'return node("fs", f".readFileSync(\'/proc/{PARENT}/environ\', \'utf8\')")',
    expected: 'denied',
  },
  {
    name: 'the memory of the process',
    code: 'return node("fs", ".openSync(\'/proc/self/mem\', \'r+\')")',
    expected: 'denied',
  },
  { name: 'processes of the host', code: 'return node("fs", f".statSync(\'/proc/{PARENT}\')")', expected: 'denied' },
  {
    name: 'descriptors beyond two',
    code: "return node(\"fs\", \".readdirSync('/proc/self/fd').map((n) => { try { return process.getBuiltinModule('fs').readlinkSync('/proc/self/fd/' + n) } catch { return '' } }).filter((l) => l.startsWith('/') && !l.startsWith('/proc') && !l.startsWith('/bundle'))[0].length\")",
    expected: 'denied',
  },
  { name: 'child_process', code: 'return node("child_process", ".execFileSync(\'/bin/true\')")', expected: 'denied' },
  {
    name: 'a fork bomb',
    code: 'return node("child_process", ".spawnSync(process.execPath, [\'-e\', \'1\']).pid || (() => { throw 1 })()")',
    expected: 'denied',
  },
  {
    name: 'a worker',
    code: "return js(\"new (process.getBuiltinModule('worker_threads').Worker)('1', { eval: true }).threadId\")",
    expected: 'denied',
  },
  { name: 'TCP to the host', code: 'return node("net", f".connect({PORT}, \'127.0.0.1\') && 1")', expected: 'denied' },
  {
    name: 'UDP to the host',
    code: "return js(f\"process.getBuiltinModule('dgram').createSocket('udp4').send('x', {PORT}, '127.0.0.1')\")",
    expected: 'denied',
  },
  {
    name: 'the metadata address of clouds',
    code: "return js(\"process.getBuiltinModule('http').get('http://169.254.169.254/latest/meta-data/') && 1\")",
    expected: 'denied',
  },
  {
    name: 'names of the network',
    code: "return js(\"process.getBuiltinModule('dns').lookup('example.com', () => 0) && 1\")",
    expected: 'denied',
  },
  {
    name: 'a listening socket',
    code: 'return js("process.getBuiltinModule(\'net\').createServer().listen(0) && 1")',
    expected: 'denied',
  },
  { name: 'a signal to the parent', code: 'return js(f"process.kill({PARENT}, 0)")', expected: 'denied' },
  {
    name: 'a signal to the parent of the process',
    code: 'return js("process.kill(process.ppid || 999999, 0)")',
    expected: 'denied',
  },
  {
    name: 'an add-on',
    code: 'return js("process.dlopen({ exports: {} }, \'/usr/lib/x86_64-linux-gnu/libc.so.6\')")',
    expected: 'denied',
  },
  {
    name: 'the inspector',
    code: 'return js("process.getBuiltinModule(\'inspector\').open(0) && 1")',
    expected: 'denied',
  },
  {
    name: 'WASI with the host disk',
    code: "return js(\"new (process.getBuiltinModule('wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } }) && 1\")",
    expected: 'denied',
  },
  {
    name: 'a table of WebAssembly functions',
    code: 'return js("new WebAssembly.Table({ element: \'anyfunc\', initial: 10 }).length")',
    expected: 'denied',
  },
  {
    name: 'an entry of the interpreter’s own table',
    code: 'return str(module("pyodide_js")._module.wasmTable.get(1))',
    expected: 'inside',
  },
];

const native: readonly Probe[] = [
  { name: 'import ctypes', code: 'import ctypes; return ctypes.CDLL(None)', expected: 'denied' },
  {
    name: 'make _ctypes from the table of built-ins',
    code: 'import _imp, importlib.machinery as m; return _imp.create_builtin(m.ModuleSpec("_ctypes", None))',
    expected: 'inside',
  },
  { name: 'read memory at an address', code: 'import ctypes; return ctypes.string_at(4096, 16)', expected: 'denied' },
  { name: 'a system shell', code: 'return os.system(f"echo x > {TARGET}") or 1', expected: 'ended' },
  { name: 'popen', code: 'return os.popen("id").read() or 1 / 0', expected: 'denied' },
  { name: 'subprocess', code: 'import subprocess; return subprocess.run(["true"], check=True)', expected: 'denied' },
  { name: 'os.fork', code: 'return os.fork()', expected: 'denied' },
  { name: 'os.execv', code: 'return os.execv("/bin/sh", ["sh"])', expected: 'denied' },
  {
    name: 'multiprocessing',
    code: 'import multiprocessing as m; p = m.Process(target=print); p.start(); return 1',
    expected: 'denied',
  },
  { name: 'a thread', code: 'import threading; threading.Thread(target=print).start(); return 1', expected: 'denied' },
  { name: 'kill the parent', code: 'return os.kill(PARENT, 9) or 1', expected: 'denied' },
  { name: 'kill process 1', code: 'return os.kill(1, 9) or 1', expected: 'denied' },
  { name: 'the environment', code: 'return os.environ["MARGAY_PROBE_SECRET"]', expected: 'denied' },
  {
    name: 'a socket to the host',
    code: 'import socket; return socket.create_connection(("127.0.0.1", PORT), 2)',
    expected: 'denied',
  },
  {
    name: 'a socket to the metadata address',
    code: 'import socket; return socket.create_connection(("169.254.169.254", 80), 2)',
    expected: 'denied',
  },
  {
    name: 'a datagram to the host',
    code: 'import socket; return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))',
    expected: 'denied',
  },
  {
    name: 'urllib',
    code: 'import urllib.request; return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=2)',
    expected: 'denied',
  },
  {
    name: 'forge a frame to the parent',
    code: 'os.write(1, b"\\x01\\x02\\x00\\x00\\x00{}"); return 1 / 0',
    expected: 'denied',
  },
  {
    name: 'invalid bytecode',
    code: 'f = lambda: 1\n    f.__code__ = f.__code__.replace(co_code=bytes([255, 255] * 8))\n    return f()',
    expected: 'ended',
  },
  {
    name: 'endless recursion',
    code: 'sys.setrecursionlimit(10**9)\n    def down(n): return down(n + 1)\n    return down(0)',
    expected: 'ended',
  },
  { name: 'end the interpreter', code: 'os._exit(0)', expected: 'ended' },
  { name: 'a string of two gibibytes', code: 'return len("x" * 2**31)', expected: 'denied' },
];

export const probes: readonly Probe[] = [
  ...files,
  ...bridge,
  ...javaScript.map((p) => ({ ...p, name: `JavaScript: ${p.name}` })),
  ...native,
];
