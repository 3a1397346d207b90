import path from 'node:path';

/** Sandboxes run as this user when the product runs as root: neither root nor the user of Postgres (65534). */
const sandboxUid = '65533';

/** A command line, and a file that it inherits open as descriptor 3. */
export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly descriptor?: string | undefined;
  /** It takes folders of the host after its start, over descriptor 4. */
  readonly takesFolders?: boolean;
};

export type WallOptions = {
  readonly bundle: string;
  readonly nodePath: string;
  readonly uid: number | undefined;
  /** The filter of system calls inside the bundle, if there is one for this machine. */
  readonly filter: string | undefined;
  /** Programs of the host that are seen inside, beside the interpreter. For tests that look around in there. */
  readonly programs?: readonly string[];
  /** The process stays the user it is, who owns files that it is to read. Otherwise root becomes a user without any. */
  readonly keepsUser?: boolean;
};

/** What one process behind the wall finds there, beside the bundle, and how much it may use. */
export type Inside = {
  /** Folders of the host, seen read-only. `to` is an absolute path. */
  readonly mounts?: readonly { readonly from: string; readonly to: string }[];
  /** Size of `/scratch`, a folder in memory that it may write and that ends with it; none when absent. */
  readonly scratchMib?: number;
  readonly threadsMax?: number;
  readonly filesMax?: number;
  /** The largest file it may write. */
  readonly fileBytesMax?: number;
};

/** Limits of the process itself, set inside its user namespace, where processes of other sandboxes do not count; heaps have their own ceilings. Address space: Node reserves far more than it uses. */
const limitsOf = ({ threadsMax = 64, filesMax = 64, fileBytesMax = 0 }: Inside): readonly string[] => [
  `--nproc=${threadsMax}`,
  `--nofile=${filesMax}`,
  `--fsize=${fileBytesMax}`,
  '--core=0',
  '--memlock=0',
];

/** A process that runs on without end would outlive a killed parent: the kernel then ends it. bwrap asks for it itself. */
export const dieWithParent: readonly string[] = ['setpriv', '--pdeathsig', 'KILL'];

const dropUser = ({ uid, keepsUser }: WallOptions): readonly string[] =>
  uid === 0 && keepsUser !== true ? ['setpriv', '--reuid', sandboxUid, '--regid', sandboxUid, '--clear-groups'] : [];

const toCommand = (words: readonly string[], descriptor?: string): Command => ({
  file: words[0] ?? '',
  args: words.slice(1),
  descriptor,
});

/** Namespaces and a root of its own made with `unshare`; `perl`, where installed, puts the filter on. */
export function unshareCommand(
  options: WallOptions,
  perl: string | undefined,
  program: readonly string[],
  inside: Inside = {},
): Command {
  const { bundle, nodePath, filter, programs = [] } = options;
  const { mounts = [], scratchMib = 0 } = inside;
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
  const enter = ['sh', path.join(bundle, 'enter.sh'), bundle, nodePath, installer, programs.join(' ')];
  const more = [String(scratchMib), String(mounts.length), ...mounts.flatMap(({ from, to }) => [from, to])];
  return toCommand([
    ...dropUser(options),
    ...dieWithParent,
    'unshare',
    ...namespaces,
    'prlimit',
    ...limitsOf(inside),
    ...enter,
    ...more,
    ...program,
  ]);
}

/** Namespaces, a root of its own and the filter, made by `bwrap`. */
export function bubblewrapCommand(options: WallOptions, program: readonly string[], inside: Inside = {}): Command {
  const { bundle, nodePath, filter, programs } = options;
  const { mounts = [], scratchMib = 0 } = inside;
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const shown = ['/usr/lib', '/usr/bin/prlimit', ...(programs ?? [])].flatMap((file) => ['--ro-bind', file, file]);
  const binds = [
    ...shown,
    ...['--ro-bind-try', '/usr/lib64', '/usr/lib64'],
    ...links,
    ...['--ro-bind', bundle, '/bundle'],
    ...['--ro-bind', nodePath, '/node/node'],
    ...mounts.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    ...(scratchMib === 0 ? [] : ['--size', String(scratchMib * 1024 * 1024), '--tmpfs', '/scratch']),
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
  const rest = [
    ...['--proc', '/proc'],
    ...['--dev', '/dev'],
    ...['--chdir', '/'],
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    '/usr/bin/prlimit',
    ...limitsOf(inside),
    ...program,
  ];
  return toCommand([...dropUser(options), 'bwrap', ...walls, ...binds, ...rest], filter);
}

/**
 * Like `bubblewrapCommand`, for a program that is given folders of the host only after it has started. They appear,
 * read-only, below `/handed` by their number. The namespace in which they are mounted belongs to this one process.
 * `place` is an empty folder of the host.
 */
export function lateCommand(
  options: WallOptions,
  place: string,
  program: readonly string[],
  inside: Inside = {},
): Command {
  const mounts = [...(inside.mounts ?? []), { from: path.join(place, 'handed'), to: '/handed' }];
  const { file, args, descriptor } = bubblewrapCommand(options, program, { ...inside, mounts });
  const namespaces = ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private'];
  const keeper = ['sh', path.join(options.bundle, 'hand-in.sh'), place];
  return { ...toCommand([...namespaces, ...dieWithParent, ...keeper, file, ...args], descriptor), takesFolders: true };
}
