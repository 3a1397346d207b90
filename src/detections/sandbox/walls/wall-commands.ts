import path from 'node:path';

/** Sandboxes run as this user when the product runs as root: neither root nor the user of Postgres (65534). */
const sandboxUid = '65533';

/** A command line, and a file that it inherits open as descriptor 3. */
export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly descriptor?: string | undefined;
};

export type WallOptions = {
  readonly bundle: string;
  readonly nodePath: string;
  readonly uid: number | undefined;
  /** The filter of system calls inside the bundle, if there is one for this machine. */
  readonly filter: string | undefined;
  /** Programs of the host that are seen inside, beside the interpreter. For tests that look around in there. */
  readonly programs?: readonly string[];
};

/** Limits of the process itself, set inside its user namespace, where processes of other sandboxes do not count; the Python heap has its own ceiling. Address space: Node reserves far more than it uses. */
const limits = ['--nproc=64', '--nofile=64', '--fsize=0', '--core=0', '--memlock=0'];

const dropUser = (uid: number | undefined): readonly string[] =>
  uid === 0 ? ['setpriv', '--reuid', sandboxUid, '--regid', sandboxUid, '--clear-groups'] : [];

const toCommand = (words: readonly string[], descriptor?: string): Command => ({
  file: words[0] ?? '',
  args: words.slice(1),
  descriptor,
});

/** Namespaces and a root of its own made with `unshare`; `perl`, where installed, puts the filter on. */
export function unshareCommand(
  { bundle, nodePath, uid, filter, programs }: WallOptions,
  perl: string | undefined,
  program: readonly string[],
): Command {
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
  const installer = filter === undefined || perl === undefined ? '-' : perl;
  const enter = ['sh', path.join(bundle, 'enter.sh'), bundle, nodePath, installer, (programs ?? []).join(' ')];
  return toCommand([...dropUser(uid), 'unshare', ...namespaces, 'prlimit', ...limits, ...enter, ...program]);
}

/** Namespaces, a root of its own and the filter, made by `bwrap`. */
export function bubblewrapCommand(
  { bundle, nodePath, uid, filter, programs }: WallOptions,
  program: readonly string[],
): Command {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const shown = ['/usr/lib', '/usr/bin/prlimit', ...(programs ?? [])].flatMap((file) => ['--ro-bind', file, file]);
  const binds = [
    ...shown,
    ...['--ro-bind-try', '/usr/lib64', '/usr/lib64'],
    ...links,
    ...['--ro-bind', bundle, '/bundle'],
    ...['--ro-bind', nodePath, '/node/node'],
  ];
  const walls = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    ...['--cap-drop', 'ALL'],
    '--clearenv',
    ...(filter === undefined ? [] : ['--seccomp', '3']),
  ];
  const inside = [
    ...['--proc', '/proc'],
    ...['--dev', '/dev'],
    ...['--chdir', '/'],
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    '/usr/bin/prlimit',
    ...limits,
    ...program,
  ];
  return toCommand([...dropUser(uid), 'bwrap', ...walls, ...binds, ...inside], filter);
}
