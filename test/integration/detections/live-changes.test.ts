import { afterAll, expect, test } from 'vitest';
import { flipUnderTraffic } from '../../support/live-changes.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);

test('a batch runs one version of all content, while it changes, and the next batch the new one', async () => {
  const figures = await flipUnderTraffic(database, { workers: 2, seconds: 8 });
  expect(figures).toMatchObject({ mixed: 0, stale: 0 });
  expect(figures.flips).toBeGreaterThanOrEqual(1);
  expect(figures.slowestActivationMs).toBeLessThan(5000);
});
