import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Sandboxes run as this user when the product runs as root: neither root nor the user of Postgres (65534). */
const sandboxUid = '65533';

type WallKind = 'bubblewrap' | 'unshare' | 'permission-only';

/** Which outer wall stands around every sandbox, for `/readyz`, `margay doctor` and the admission of a second tenant. */
export type WallReport = {
  readonly kind: WallKind;
  readonly hasSeccomp: boolean;
  /** True when tenants that distrust one another may share this host. */
  readonly isolatesTenants: boolean;
  /** Why a stronger wall is not there, one sentence each. */
  readonly reasons: readonly string[];
  readonly howToFix: string | undefined;
};

type Command = { readonly file: string; readonly args: readonly string[] };

export type Walls = {
  readonly report: WallReport;
  /** Wraps `node <args>`; paths inside the arguments are those `bundleInside` gives. */
  command(args: readonly string[]): Command;
  /** Where the sandbox sees the bundle. */
  readonly bundleInside: string;
};

type Options = { readonly bundle: string; readonly nodePath: string; readonly uid: number | undefined };

/** Limits of the process itself, set inside its user namespace, where processes of other sandboxes do not count; the Python heap has its own ceiling. Address space: Node reserves far more than it uses. */
const limits = ['--nproc=64', '--nofile=64', '--fsize=0', '--core=0', '--memlock=0'];

const dropUser = (uid: number | undefined): readonly string[] =>
  uid === 0 ? ['setpriv', '--reuid', sandboxUid, '--regid', sandboxUid, '--clear-groups'] : [];

const toCommand = (words: readonly string[]): Command => ({ file: words[0] ?? '', args: words.slice(1) });

function unshareCommand({ bundle, nodePath, uid }: Options, args: readonly string[]): Command {
  const namespaces = [
    '--user',
    '--map-root-user',
    '--mount',
    '--uts',
    '--ipc',
    '--net',
    '--pid',
    '--cgroup',
    '--fork',
    '--kill-child',
  ];
  const enter = ['sh', path.join(bundle, 'enter.sh'), bundle, path.dirname(nodePath)];
  return toCommand([...dropUser(uid), 'unshare', ...namespaces, 'prlimit', ...limits, ...enter, ...args]);
}

function bubblewrapCommand({ bundle, nodePath, uid }: Options, args: readonly string[]): Command {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const binds = [
    '--ro-bind',
    '/usr',
    '/usr',
    ...links,
    '--ro-bind',
    bundle,
    '/bundle',
    '--ro-bind',
    path.dirname(nodePath),
    '/node',
  ];
  const walls = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--clearenv',
  ];
  const inside = [
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--chdir',
    '/',
    '--remount-ro',
    '/',
    '/usr/bin/prlimit',
    ...limits,
    '/node/node',
    ...args,
  ];
  return toCommand([...dropUser(uid), 'bwrap', ...walls, ...binds, ...inside]);
}

/** Whether a command line really works here: starts the sandbox's Node and lets it look around. */
async function tryCommand({ file, args }: Command): Promise<string | undefined> {
  try {
    const { stdout } = await run(file, [...args], {
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      timeout: 15_000,
      cwd: '/',
    });
    return stdout.trim() === 'no etc' ? undefined : 'the host file system is still visible inside';
  } catch (error) {
    const text =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim() || error.message : String(error);
    return text.split('\n')[0]?.slice(0, 300) ?? 'failed';
  }
}

async function isInstalled(name: string): Promise<boolean> {
  for (const folder of ['/usr/bin', '/bin', '/usr/sbin', '/usr/local/bin']) {
    const found = await access(path.join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

const lookAround = ['-e', 'console.log(require("fs").existsSync("/etc/passwd") ? "etc" : "no etc")'];

/**
 * Finds the strongest outer wall this host offers, by trying each. The inner wall (Node's permission model, an empty
 * environment, a trimmed interpreter) is always there; alone it does not keep tenants apart.
 */
export async function chooseWalls(options: Options): Promise<Walls> {
  const reasons: string[] = [];
  const candidates = [
    { kind: 'bubblewrap', tool: 'bwrap', make: bubblewrapCommand },
    { kind: 'unshare', tool: 'unshare', make: unshareCommand },
  ] as const;
  for (const { kind, tool, make } of candidates) {
    if (!(await isInstalled(tool))) {
      reasons.push(`${kind}: the program "${tool}" is not installed.`);
      continue;
    }
    const problem = await tryCommand(make(options, lookAround));
    if (problem === undefined) {
      const noSeccomp = `${kind}: no system call filter is in place.`;
      const report: WallReport = {
        kind,
        hasSeccomp: false,
        isolatesTenants: true,
        reasons: [...reasons, noSeccomp],
        howToFix: undefined,
      };
      return { report, command: (args) => make(options, args), bundleInside: '/bundle' };
    }
    reasons.push(`${kind}: ${problem}.`);
  }
  const howToFix =
    'Install bubblewrap and allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or run one deployment per tenant.';
  return {
    report: { kind: 'permission-only', hasSeccomp: false, isolatesTenants: false, reasons, howToFix },
    command: (args) => ({ file: options.nodePath, args }),
    bundleInside: options.bundle,
  };
}
