import { expect, test } from 'vitest';
import { hashPassword, isPassword } from './password.ts';

test('of many sign-ins at once those that find the queue full are refused, the others answered rightly', async () => {
  const stored = await hashPassword('correct-horse-battery');
  const asked = Array.from({ length: 40 }, (_, index) =>
    isPassword(index % 2 === 0 ? 'correct-horse-battery' : 'wrong-horse-battery', stored),
  );
  const settled = await Promise.allSettled(asked);
  const answered = settled.slice(0, 32).map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  expect(answered).toEqual(Array.from({ length: 32 }, (_, index) => index % 2 === 0));
  for (const one of settled.slice(32))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable', retryAfterSeconds: 5 } });
  expect(await isPassword('correct-horse-battery', stored)).toBe(true);
}, 60_000);
