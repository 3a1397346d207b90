import { expect, test } from 'vitest';
import { createRateLimiter, type Increment, type RateRule } from './rate-limiter.ts';

const rule: RateRule = { name: 'test', max: 3, seconds: 60 };

function setUp() {
  let now = Date.UTC(2026, 0, 1);
  const totals = new Map<string, number>();
  const shared = {
    add: async (increments: readonly Increment[]) =>
      increments.map((increment) => {
        const total = (totals.get(increment.key) ?? 0) + increment.requests;
        totals.set(increment.key, total);
        return { ...increment, requests: total };
      }),
  };
  const errors: unknown[] = [];
  const make = () =>
    createRateLimiter({ clock: { now: () => new Date(now) }, shared, onError: (error) => errors.push(error) });
  return { make, pass: (seconds: number) => (now += seconds * 1000), errors };
}

test('a window lets as many through as the rule says, and the next one as many again', () => {
  const { make, pass } = setUp();
  const limiter = make();
  const taken = [1, 2, 3, 4].map(() => limiter.take(rule, 'a').isAllowed);
  expect(taken).toEqual([true, true, true, false]);
  expect(limiter.take(rule, 'b')).toEqual({ isAllowed: true, limit: 3, remaining: 2, resetSeconds: 60 });
  expect(limiter.look(rule, 'a').isAllowed).toBe(false);
  pass(61);
  expect(limiter.take(rule, 'a').isAllowed).toBe(true);
  limiter.close();
});

test('processes share what they counted', async () => {
  const { make } = setUp();
  const [one, two] = [make(), make()];
  one.take(rule, 'a');
  one.take(rule, 'a');
  await one.sync();
  two.take(rule, 'a');
  await two.sync();
  expect(two.take(rule, 'a').isAllowed).toBe(false);
  await one.sync();
  one.take(rule, 'a');
  await one.sync();
  expect(one.look(rule, 'a').isAllowed).toBe(false);
  one.close();
  two.close();
});

test('without the others each counts alone', async () => {
  const errors: unknown[] = [];
  const limiter = createRateLimiter({
    clock: { now: () => new Date(0) },
    shared: { add: () => Promise.reject(new Error('away')) },
    onError: (error) => errors.push(error),
  });
  limiter.take(rule, 'a');
  await limiter.sync();
  expect(errors).toHaveLength(1);
  expect(limiter.take(rule, 'a').remaining).toBe(1);
  limiter.close();
});
