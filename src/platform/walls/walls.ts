import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { arch } from 'node:os';
import { once } from 'node:events';
import { Socket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import {
  bubblewrapCommand,
  type Command,
  dieWithParent,
  type Inside,
  lateCommand,
  unshareCommand,
  type WallOptions,
} from './wall-commands.ts';

type WallKind = 'bubblewrap' | 'unshare' | 'permission-only';

/** Which outer wall stands around every sandbox, for `/readyz`, `margay doctor` and the admission of a second tenant. */
export type WallReport = {
  readonly kind: WallKind;
  /** A filter of system calls was seen to be on in a process behind this wall. */
  readonly hasSeccomp: boolean;
  /** True when tenants that distrust one another may share this host. */
  readonly isolatesTenants: boolean;
  /** Why a stronger wall is not there, one sentence each. */
  readonly reasons: readonly string[];
  readonly howToFix: string | undefined;
};

export type Walls = {
  readonly report: WallReport;
  /** Wraps a program that lies behind the wall. */
  wrap(program: readonly string[], inside?: Inside): Command;
  /**
   * Wraps a program that is handed folders of the host after it has started (`handIn`); `place` is an empty folder.
   * Undefined where this wall cannot.
   */
  readonly wrapLate: ((place: string, program: readonly string[], inside?: Inside) => Command) | undefined;
  /** Paths of Node and of the bundle as the sandbox sees them. */
  readonly nodeInside: string;
  readonly bundleInside: string;
};

type Options = Omit<WallOptions, 'filter'> & {
  /** Only these are tried; the default is all, the strongest first. */
  readonly kinds?: readonly WallKind[];
};

/** Starts a wrapped program as the leader of its own process group; descriptors 3 and 4 are there for the wall's tools only. */
export function spawnBehind(
  { file, args, descriptor, takesFolders = false }: Command,
  cwd: string,
): ChildProcessWithoutNullStreams {
  const opened = descriptor === undefined ? undefined : openSync(descriptor, 'r');
  const filter = opened === undefined ? [] : [opened];
  const more = takesFolders ? [opened ?? ('ignore' as const), 'pipe' as const] : filter;
  try {
    return spawn(file, [...args], {
      cwd,
      detached: true,
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      stdio: ['pipe', 'pipe', 'pipe', ...more],
    }) as ChildProcessWithoutNullStreams;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

const handInTimeoutMs = 5000;

/**
 * Shows folders of the host to a program that was wrapped for it, read-only, as `/handed/0` and so on; once for each
 * program. Throws when they are not there; then the program is of no use.
 */
export async function handIn(child: ChildProcessWithoutNullStreams, folders: readonly string[]): Promise<void> {
  const orders = child.stdio[4];
  if (!(orders instanceof Socket)) throw new Error('The program was not started to take folders.');
  if (folders.some((folder) => folder === '' || folder.includes('\n'))) throw new Error('No name of a folder.');
  orders.on('error', () => undefined);
  const answer = once(orders, 'data', { signal: AbortSignal.timeout(handInTimeoutMs) });
  orders.write(`${folders.map((folder) => `${folder}\n`).join('')}\n`);
  await answer;
}

const lookTimeoutMs = 15_000;

const lookAround = `
const { existsSync, readFileSync } = require("fs");
const status = readFileSync("/proc/self/status", "utf8");
const value = (name) => status.match(new RegExp("^" + name + ":\\\\s*(\\\\S+)", "m"))?.[1];
console.log(JSON.stringify({ seesHost: existsSync("/etc/passwd"), seccomp: value("Seccomp"), capabilities: value("CapEff"), noNewPrivileges: value("NoNewPrivs") }));
`;

type Sight = {
  readonly seesHost: boolean;
  readonly seccomp: string;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
};

const isSight = (value: unknown): value is Sight =>
  typeof value === 'object' && value !== null && 'seesHost' in value && 'seccomp' in value && 'capabilities' in value;

/** Starts the sandbox's Node behind the wall and lets it look around: what it saw, or why it saw nothing. */
async function look(command: Command): Promise<Sight | string> {
  const child = spawnBehind(command, '/');
  const timer = setTimeout(() => child.kill('SIGKILL'), lookTimeoutMs);
  const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(error.message)));
  const read = async (): Promise<Sight | string> => {
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    try {
      const seen: unknown = JSON.parse(output);
      if (isSight(seen)) return seen;
    } catch {
      // It did not come that far; its first words say why.
    }
    return errors.trim().split('\n')[0]?.slice(0, 300) || 'it ended without a word';
  };
  const sight = await Promise.race([read(), failed]);
  clearTimeout(timer);
  return sight;
}

/** What is wrong with a wall that let its process see this. */
function objection(sight: Sight | string): string | undefined {
  if (typeof sight === 'string') return sight;
  if (sight.seesHost) return 'the host file system is still visible inside';
  if (/[^0]/.test(sight.capabilities)) return 'the process inside holds capabilities';
  if (sight.noNewPrivileges !== '1') return 'the process inside may gain privileges';
  return undefined;
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of ['/usr/bin', '/bin', '/usr/sbin', '/usr/local/bin']) {
    const file = path.join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

type Candidate = {
  readonly kind: Exclude<WallKind, 'permission-only'>;
  readonly tool: string;
  readonly wrap: (options: WallOptions, program: readonly string[], inside?: Inside) => Command;
  /** Why this wall has no filter of system calls here, or undefined. */
  readonly withoutFilter: string | undefined;
};

async function candidates(filter: string | undefined): Promise<readonly Candidate[]> {
  const perl = await findProgram('perl');
  const noTable = filter === undefined ? `there is no table of system calls for ${arch()}` : undefined;
  return [
    { kind: 'bubblewrap', tool: 'bwrap', wrap: bubblewrapCommand, withoutFilter: noTable },
    {
      kind: 'unshare',
      tool: 'unshare',
      wrap: (options, program, inside) => unshareCommand(options, perl, program, inside),
      withoutFilter: noTable ?? (perl === undefined ? 'perl, which would install it, is not installed' : undefined),
    },
  ];
}

const howToFix =
  'Install bubblewrap and allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or run one deployment per tenant.';

/** The wall if it stands here, or what keeps it from standing. */
async function tryWall(candidate: Candidate, options: WallOptions): Promise<Walls | string> {
  if ((await findProgram(candidate.tool)) === undefined) return `the program "${candidate.tool}" is not installed`;
  const wrap = (program: readonly string[], inside?: Inside): Command => candidate.wrap(options, program, inside);
  const nodeInside = '/node/node';
  const sight = await look(wrap([nodeInside, '-e', lookAround]));
  const problem = objection(sight);
  if (problem !== undefined || typeof sight === 'string') return problem ?? '';
  const hasSeccomp = sight.seccomp === '2';
  if (!hasSeccomp && candidate.withoutFilter === undefined) return 'the filter of system calls was not installed';
  const reasons = hasSeccomp ? [] : [`${candidate.kind}: no system call filter: ${candidate.withoutFilter}.`];
  const report = { kind: candidate.kind, hasSeccomp, isolatesTenants: true, reasons, howToFix: undefined };
  const wrapLate: Walls['wrapLate'] =
    candidate.kind === 'bubblewrap' ? (...given) => lateCommand(options, ...given) : undefined;
  return { report, wrap, wrapLate, nodeInside, bundleInside: '/bundle' };
}

/**
 * Finds the strongest outer wall this host offers, by trying each. The inner wall (Node's permission model, an empty
 * environment, a trimmed interpreter) is always there; alone it does not keep tenants apart.
 */
export async function chooseWalls({ kinds = ['bubblewrap', 'unshare'], ...options }: Options): Promise<Walls> {
  const reasons: string[] = [];
  const file = path.join(options.bundle, 'seccomp.bpf');
  const filter = await access(file).then(
    () => file,
    () => undefined,
  );
  for (const candidate of await candidates(filter)) {
    if (!kinds.includes(candidate.kind)) continue;
    const wall = await tryWall(candidate, { ...options, filter });
    if (typeof wall !== 'string')
      return { ...wall, report: { ...wall.report, reasons: [...reasons, ...wall.report.reasons] } };
    reasons.push(`${candidate.kind}: ${wall}.`);
  }
  const prefix = (await findProgram('setpriv')) === undefined ? [] : dieWithParent;
  return {
    report: { kind: 'permission-only', hasSeccomp: false, isolatesTenants: false, reasons, howToFix },
    wrap(program) {
      const [file = '', ...args] = [...prefix, ...program];
      return { file, args };
    },
    wrapLate: undefined,
    nodeInside: options.nodePath,
    bundleInside: options.bundle,
  };
}
