import { expect, test } from 'vitest';
import { createSharedClock, manualClock } from './index.ts';

const shared = manualClock(new Date('2026-01-01T12:00:00Z'));
const ask = async (): Promise<Date> => shared.now();

test('a machine that is an hour off says what the shared clock says', async () => {
  for (const start of ['2026-01-01T11:00:00Z', '2026-01-01T13:00:00Z']) {
    const clock = createSharedClock(ask, manualClock(new Date(start)));
    expect(Math.abs(await clock.follow())).toBe(3_600_000);
    expect(clock.now()).toEqual(shared.now());
  }
});

test('a machine that is right keeps its own time, and one that was set right again as well', async () => {
  const own = manualClock(new Date('2026-01-01T12:00:00.500Z'));
  const clock = createSharedClock(ask, own);
  await clock.follow();
  expect(clock.now()).toEqual(own.now());
  own.advance(3_600_000);
  await clock.follow();
  own.advance(-3_600_000);
  await clock.follow();
  expect(clock.now()).toEqual(own.now());
});

test('while the shared clock does not answer, the last correction stays', async () => {
  let isAway = false;
  const clock = createSharedClock(
    () => (isAway ? Promise.reject(new Error('away')) : ask()),
    manualClock(new Date('2026-01-01T11:00:00Z')),
  );
  await clock.follow();
  isAway = true;
  await expect(clock.follow()).rejects.toThrow('away');
  expect(clock.now()).toEqual(shared.now());
});
