import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptResultOf, attemptsMax, pauseMs, settle } from './delivery.ts';

const response = (status: number, headers = {}, isPublicAddress = true) =>
  attemptResultOf({ kind: 'response', status, headers, body: Buffer.from('the answer'), isPublicAddress });
const now = new Date('2026-01-01T00:00:00Z');
const settled = (status: number, over: { attemptsMade?: number; attemptsLeft?: number; random?: number } = {}) =>
  settle(response(status), { attemptsMade: 1, attemptsLeft: 10, now, random: 0, ...over });

test.each([200, 201, 202, 204, 299])('%i is delivered', (status) => {
  expect(settled(status)).toEqual({ state: 'DELIVERED' });
});

test.each([301, 302, 307, 400, 401, 403, 404, 405, 409, 410, 413, 422])('%i is given up at once', (status) => {
  expect(settled(status)).toEqual({ state: 'FAILED' });
});

test.each([408, 429, 500, 502, 503, 504, 599])('%i is tried again', (status) => {
  expect(settled(status)).toEqual({ state: 'PENDING', nextAttemptAt: new Date(now.getTime() + 15_000) });
});

test('no answer is tried again, a refused address is not', () => {
  const options = { attemptsMade: 1, attemptsLeft: 10, now, random: 0 };
  const timeout = attemptResultOf({ kind: 'failed', reason: 'timeout', detail: 'connect to 10.0.0.1' });
  expect(timeout).toMatchObject({ statusCode: 504, success: false });
  expect(timeout.message).not.toContain('10.0.0.1');
  expect(settle(timeout, options).state).toBe('PENDING');
  const refused = attemptResultOf({ kind: 'refused', reason: 'The URL points nowhere.' });
  expect(settle(refused, options)).toEqual({ state: 'FAILED' });
});

test('the last attempt that fails ends the delivery', () => {
  expect(settled(500, { attemptsMade: attemptsMax, attemptsLeft: 0 })).toEqual({ state: 'FAILED' });
});

test('pauses double up to four hours, and all attempts end within half a day', () => {
  const pauses = Array.from({ length: attemptsMax - 1 }, (_, index) => pauseMs(index + 1, null, 1) / 1000);
  expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 14_400]);
  expect(pauses.reduce((sum, pause) => sum + pause)).toBeLessThan(12 * 3600);
});

test('chance takes at most half of a pause away, and a receiver can ask for more but not for days', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const longest = pauseMs(attempt, null, 1);
      expect(pauseMs(attempt, null, random)).toBeGreaterThanOrEqual(longest / 2);
      expect(pauseMs(attempt, null, random)).toBeLessThanOrEqual(longest);
    }),
  );
  expect(pauseMs(1, 600, 0)).toBe(600_000);
  expect(pauseMs(1, 999_999, 0)).toBe(4 * 3_600_000);
  expect(response(429, { 'retry-after': '7' }).retryAfterSeconds).toBe(7);
  expect(response(429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }).retryAfterSeconds).toBeNull();
});

test('the answer of a receiver is shown from public addresses only, in part, and never of a server error', () => {
  expect(response(200).message).toBe('the answer');
  expect(response(404).message).toBe('the answer');
  expect(response(500).message).toBe('');
  expect(response(200, {}, false).message).toBe('');
  const long = { kind: 'response', status: 200, headers: {}, isPublicAddress: true } as const;
  expect(attemptResultOf({ ...long, body: Buffer.from('x'.repeat(1000)) }).message).toHaveLength(256);
  expect(attemptResultOf({ ...long, body: Buffer.from([0, 0xff, 0x41]) }).message).toBe('\ufffdA');
});
