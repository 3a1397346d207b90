import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A process of the deployment that may be killed. */
export type Victim = { readonly pid: number; readonly kind: VictimKind };
export type VictimKind = 'worker' | 'scheduler' | 'intake' | 'supervisor' | 'lake' | 'postgres' | 'sandbox';

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
};

function parents(): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(Number(name), 'stat');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent > 0) found.set(Number(name), parent);
  }
  return found;
}

const isPostmaster = /\/postgres(?:\0|$).*-D|\/postgres\0-D/s;

function kindOf(commandLine: string): VictimKind | undefined {
  const text = commandLine.replaceAll('\0', ' ');
  if (/roles\/main\.ts worker/.test(text)) return 'worker';
  if (/roles\/main\.ts scheduler/.test(text)) return 'scheduler';
  if (/roles\/main\.ts (?:api|ingest)/.test(text)) return 'intake';
  if (/app\/main\.ts start --role/.test(text)) return 'supervisor';
  if (/lake\/embedded\/main\.ts/.test(text)) return 'lake';
  if (isPostmaster.test(commandLine)) return 'postgres';
  if (/^(?:\S*\/)?(?:bwrap|unshare) /.test(text)) return 'sandbox';
  return undefined;
}

/** Processes below this one, found by descent, with what they are. */
function findOurs(): readonly { readonly pid: number; readonly kind: VictimKind | undefined }[] {
  const parentOf = parents();
  const isOurs = (pid: number): boolean => {
    for (let current = pid; current > 1; current = parentOf.get(current) ?? 0) if (current === process.pid) return true;
    return false;
  };
  return [...parentOf.keys()]
    .filter((pid) => pid !== process.pid && isOurs(pid))
    .map((pid) => ({ pid, kind: kindOf(read(pid, 'cmdline')) }));
}

/** The processes of the deployment that this process supervises. */
export function findVictims(): readonly Victim[] {
  return findOurs().flatMap(({ pid, kind }) => (kind === undefined ? [] : [{ pid, kind }]));
}

const pageBytes = 4096;

/** The same with their memory; what belongs to one of them (a Postgres backend, an interpreter) is named after its program. */
export function listProcesses(): readonly { readonly kind: string; readonly residentBytes: number }[] {
  return findOurs().map(({ pid, kind }) => {
    const program = path.basename(read(pid, 'cmdline').split(/[\0 :]/)[0] ?? '');
    const residentBytes = pageBytes * Number(read(pid, 'statm').split(' ')[1] ?? 0);
    return { kind: kind ?? (program === 'node' ? 'interpreter' : program), residentBytes };
  });
}
