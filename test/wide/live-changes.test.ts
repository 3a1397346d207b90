import { afterAll, expect, test } from 'vitest';
import { flipUnderTraffic } from '../support/live-changes.ts';
import { createTestDatabase } from '../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);

test('for a minute of changes under traffic no batch sees two versions, and each change is active within five seconds', async () => {
  const figures = await flipUnderTraffic(database, { workers: 2, seconds: 60 });
  expect(figures).toMatchObject({ mixed: 0, stale: 0 });
  expect(figures.flips).toBeGreaterThanOrEqual(5);
  expect(figures.slowestActivationMs).toBeLessThan(5000);
});
