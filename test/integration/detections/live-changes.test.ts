import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createUploadService } from '#detections';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { flipUnderTraffic } from '../../support/live-changes.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);

test('a batch runs one version of all content, while it changes, and the next batch the new one', async () => {
  const actor = systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
  const audit = createAuditRecorder({ database, clock: systemClock });
  // What Python loads is not in question here; the archives need no interpreter of their own.
  const sandbox = { check: () => Promise.resolve([]) };
  const objects = { put: () => Promise.reject(new Error('not used')), delete: () => Promise.resolve() };
  const uploads = createUploadService({ database, audit, sandbox, objects, ids: systemIds });
  const figures = await flipUnderTraffic({ database, uploads }, actor, { workers: 2, seconds: 8 });
  process.stdout.write(`live changes: ${JSON.stringify(figures)}\n`);
  expect(figures).toMatchObject({ mixed: 0, stale: 0 });
  expect(figures.flips).toBeGreaterThanOrEqual(1);
  expect(figures.slowestActivationMs).toBeLessThan(5000);
});
