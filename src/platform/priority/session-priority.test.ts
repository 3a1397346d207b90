import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lowerSession } from './session-priority.ts';

const weightOf = (pid: number | 'self'): string => {
  try {
    return /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
};

test.skipIf(weightOf('self') === '')(
  'a session apart is put below, with the one inside it, and never the own one',
  async () => {
    const own = weightOf('self');
    const child = spawn('sh', ['-c', 'setsid sleep 30 & echo $!; wait'], { detached: true });
    const sibling = spawn('sleep', ['30']);
    let inner = 0;
    try {
      inner = Number(await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve)));
      await lowerSession(child.pid, 7);
      expect(weightOf(child.pid ?? 0)).toBe('7');
      await expect.poll(() => lowerSession(child.pid, 7).then(() => weightOf(inner))).toBe('7');
      await lowerSession(sibling.pid, 7);
      expect(weightOf('self')).toBe(own);
    } finally {
      if (inner > 0) process.kill(inner, 'SIGKILL');
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      sibling.kill('SIGKILL');
    }
  },
);

test('a process that is gone is no error', async () => {
  await lowerSession(undefined, 5);
  await lowerSession(2 ** 22 + 1, 5);
});
