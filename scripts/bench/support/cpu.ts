import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second of /proc, the same on every Linux that matters. */
const ticksPerSecond = 100;

type ProcessTimes = { readonly pid: number; readonly parent: number; readonly name: string; readonly seconds: number };

const kinds: readonly (readonly [RegExp, string])[] = [
  [/roles\/main\.ts worker/, 'worker'],
  [/roles\/main\.ts scheduler/, 'scheduler'],
  [/roles\/main\.ts api,ingest/, 'api+ingest'],
  [/lake\/embedded\/main\.ts/, 'lake'],
  [/postgres/, 'postgres'],
  [/ \/bundle\/main\.ts|^\/?\S*(?:bwrap|unshare) /, 'sandbox'],
];

function readProcess(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const name = kinds.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
    // User and system time, its own and that of children that ended.
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    return { pid, parent: Number(fields[1]), name, seconds: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/**
 * CPU seconds (user and system) of the product's processes below this one so far, by kind; children that ended count
 * with their parent. Processes of the benchmark itself are named in `exceptPids`.
 */
export function cpuSeconds(exceptPids: readonly number[] = []): Readonly<Record<string, number>> {
  const all = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    if (found !== undefined) all.set(found.pid, found);
  }
  const isOurs = (pid: number): boolean => {
    for (let at = all.get(pid); at !== undefined; at = all.get(at.parent)) {
      if (exceptPids.includes(at.pid)) return false;
      if (at.parent === process.pid) return true;
    }
    return false;
  };
  const sums: Record<string, number> = {};
  for (const { pid, name, seconds } of all.values()) if (isOurs(pid)) sums[name] = (sums[name] ?? 0) + seconds;
  return sums;
}

/** What each kind spent between two readings, and all of them. */
export function cpuBetween(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): { readonly total: number; readonly byProcess: Readonly<Record<string, number>> } {
  const spent = Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)] as const);
  const byProcess = Object.fromEntries(spent.map(([name, seconds]) => [name, Math.round(seconds * 100) / 100]));
  return { total: spent.reduce((sum, [, seconds]) => sum + seconds, 0), byProcess };
}
