import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { announceWorker } from '#ingestion';
import { silentLog } from '#platform/log';
import { createMetrics } from '#platform/metrics';
import { processGauges } from '../../../src/app/process-gauges.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);

const figures = {
  processes: 3,
  memoryBytes: 450_000_000,
  spare: 1,
  startsCold: 1,
  startsGeneric: 4,
  startsSnapshot: 20,
  evictions: 7,
  recycles: 2,
  idleEnds: 5,
  readersRunning: 2,
  readersSpare: 1,
};

test('what pools of this process and of every live worker hold and did is in the metrics', async () => {
  const workerId = randomUUID();
  const { readersRunning: _running, readersSpare: _spare, ...pool } = figures;
  const none = { ...pool, processes: 0, spare: 0, evictions: 0 };
  const announced = await announceWorker({ database, log: silentLog, workerId, places: 2, figures: () => figures });
  const metrics = createMetrics(processGauges(database, { status: () => none }));
  const text = await metrics.text();
  for (const [name, label, value] of [
    ['margay_sandbox_interpreters', 'state="alive"', 3],
    ['margay_sandbox_interpreters', 'state="spare"', 1],
    ['margay_sandbox_memory_bytes', 'state="held"', 450_000_000],
    ['margay_query_readers', 'state="running"', 2],
    ['margay_query_readers', 'state="spare"', 1],
    ['margay_sandbox_events', 'event="start_snapshot"', 20],
    ['margay_sandbox_events', 'event="eviction"', 7],
    ['margay_sandbox_events', 'event="recycle"', 2],
    ['margay_sandbox_events', 'event="idle_end"', 5],
  ] as const)
    expect(text).toContain(`${name}{process="${workerId}",${label}} ${value}\n`);
  expect(text).toContain('margay_sandbox_interpreters{process="api",state="alive"} 0\n');
  expect(text).not.toContain('margay_query_readers{process="api"');
  await announced.stop();
  expect(await metrics.text()).not.toContain(workerId);
});
