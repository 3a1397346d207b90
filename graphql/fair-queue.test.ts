import { setImmediate as soon } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

test('keys take turns, none runs twice at once, and work that fails frees its place', async () => {
  const queue = createFairQueue(2);
  const running: string[] = [];
  const order: string[] = [];
  let most = 0;
  const work = (key: string, name: string) => async () => {
    expect(running).not.toContain(key);
    running.push(key);
    most = Math.max(most, running.length);
    await soon();
    order.push(name);
    running.splice(running.indexOf(key), 1);
    if (name === 'a2') throw new Error(name);
  };
  const asked = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'].map((name) => queue.run(name[0] ?? '', work(name[0] ?? '', name)));
  const settled = await Promise.allSettled(asked);
  expect(settled.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(most).toBe(2);
  expect(order.indexOf('b1')).toBeLessThan(order.indexOf('a3'));
  expect(order.indexOf('c1')).toBeLessThan(order.indexOf('a4'));
  await expect(queue.run('a', async () => 'again')).resolves.toBe('again');
});
