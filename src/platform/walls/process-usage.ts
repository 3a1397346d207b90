import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

/**
 * Private memory of a process and all below it, in bytes, as the kernel counts it (a guest cannot lie about it).
 * Undefined where there is no /proc or the process is gone.
 */
export async function privateMemoryOf(pid: number): Promise<number | undefined> {
  const status = await read(`/proc/${pid}/status`);
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) return undefined;
  let total = Number(kibibytes) * 1024;
  for (const child of (await read(`/proc/${pid}/task/${pid}/children`)).split(' ')) {
    if (child !== '') total += (await privateMemoryOf(Number(child))) ?? 0;
  }
  return total;
}

const ticksPerSecond = 100;

function readNow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Processor time of a process and all below it, in milliseconds; undefined where the kernel does not tell. */
export function processorTimeOf(pid: number): number | undefined {
  // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th fields after it.
  const fields = readNow(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  if (fields.length < 13) return undefined;
  let total = ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  for (const child of readNow(`/proc/${pid}/task/${pid}/children`).split(' ')) {
    if (child !== '') total += processorTimeOf(Number(child)) ?? 0;
  }
  return total;
}
