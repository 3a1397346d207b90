import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const fileOf = (pid: number | 'self'): string => `/proc/${pid}/autogroup`;
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
const groupOf = async (pid: number | 'self'): Promise<string> => (await read(fileOf(pid))).split(' ')[0] ?? '';

/** Without privileges the kernel takes one change in a tenth of a second. */
const tries = 5;
const pauseMs = 150;

async function weigh(pid: number, steps: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeFile(fileOf(pid), String(steps));
    } catch (error) {
      const isTooSoon = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!isTooSoon || attempt === tries) return;
      await sleep(pauseMs);
    }
  }
}

/**
 * Where Linux shares processors among sessions (`sched_autogroup_enabled`), niceness counts only within a session, and
 * one that was started apart is the equal of all others together, however nice its processes are. This puts the
 * sessions that the process and those below it lead `steps` below the caller's. Nothing happens where there are no such
 * groups, or to the caller's own. Never rejects: without it all work is done, only in another order.
 */
export async function lowerSession(pid: number | undefined, steps: number): Promise<void> {
  if (pid === undefined) return;
  const [own, group] = [await groupOf('self'), await groupOf(pid)];
  if (own === '' || group === '') return;
  if (group !== own) await weigh(pid, steps);
  const children = (await read(`/proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean);
  for (const child of children) await lowerSession(Number(child), steps);
}
