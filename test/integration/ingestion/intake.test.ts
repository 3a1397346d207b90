import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore } from '#platform/objects';
import type { Batch } from '../../../src/ingestion/batches/batch.ts';
import { findBatch } from '../../../src/ingestion/batches/batch-store.ts';
import { createIntake, defaultIntakeLimits } from '../../../src/ingestion/batches/intake.ts';
import { startDispatcher } from '../../../src/ingestion/dispatch/dispatcher.ts';
import { announceWorker } from '../../../src/ingestion/dispatch/worker-places.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
const folder = await mkdtemp(path.join(tmpdir(), 'margay-objects-'));
const objects = createLocalObjectStore(folder);
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});
const deps = { database, objects, clock: systemClock, ids: systemIds, log: silentLog, limits: defaultIntakeLimits };
const request = (tenantId: string, sourceId: string, text: string) => ({
  tenantId,
  sourceId,
  body: Buffer.from(text),
  traceId: '1'.repeat(32),
});
const read = async (tenantId: string, id: string): Promise<Batch> => {
  const batch = await database.withTenant(tenantId, (tx) => findBatch(tx, id));
  if (batch === undefined) throw new Error('no such batch');
  return batch;
};

test('requests of one source that arrive together share one batch, each findable by offset', async () => {
  const tenantId = await createTenant(database);
  const sourceId = randomUUID();
  const intake = createIntake(deps);
  const answers = await Promise.all(
    ['one', 'second', '3'].map((text) => intake.accept(request(tenantId, sourceId, text))),
  );
  expect(new Set(answers.map((answer) => answer.batchId)).size).toBe(1);
  const batch = await read(tenantId, answers[0]?.batchId ?? '');
  const bytes = await objects.get(batch.objectKey);
  const bodies = batch.parts.map((part) => bytes.subarray(part.offset, part.offset + part.length).toString());
  expect(bodies).toEqual(['one', 'second', '3']);
  expect(batch.objectKey).toMatch(new RegExp(`^tenants/${tenantId}/raw/`));
});

test('two sources and two tenants never share a batch', async () => {
  const [a, b] = [await createTenant(database), await createTenant(database)];
  const [s1, s2] = [randomUUID(), randomUUID()];
  const intake = createIntake(deps);
  const pairs = [request(a, s1, 'x'), request(a, s2, 'x'), request(b, s1, 'x')];
  const answers = await Promise.all(pairs.map((item) => intake.accept(item)));
  expect(new Set(answers.map((answer) => answer.batchId)).size).toBe(3);
});

test('a repeated idempotency key is acknowledged with the first batch and stores nothing more', async () => {
  const tenantId = await createTenant(database);
  const intake = createIntake(deps);
  const item = { ...request(tenantId, randomUUID(), 'x'), idempotencyKey: 'k' };
  const [first, second] = await Promise.all([intake.accept(item), intake.accept(item)]);
  expect(first.batchId).toBe(second.batchId);
  expect(Number(first.isRepetition) + Number(second.isRepetition)).toBe(1);
  expect(await objects.list(`tenants/${tenantId}/`)).toHaveLength(1);
});

test('when the object cannot be stored the sender is told to come back, and no row exists', async () => {
  const tenantId = await createTenant(database);
  const failing = { ...objects, put: () => Promise.reject(new Error('disk full')) };
  const intake = createIntake({ ...deps, objects: failing });
  await expect(intake.accept(request(tenantId, randomUUID(), 'x'))).rejects.toMatchObject({
    code: 'unavailable',
    retryAfterSeconds: 5,
  });
  const rows = await database.withTenant(tenantId, (tx) => tx.query('SELECT FROM batches'));
  expect(rows).toHaveLength(0);
});

test('a sender whose backlog is over the limit gets Retry-After while another is served', async () => {
  const [loud, quiet] = [await createTenant(database), await createTenant(database)];
  const limits = { ...defaultIntakeLimits, backlogBytesMax: 3 };
  const first = createIntake({ ...deps, limits });
  await first.accept(request(loud, randomUUID(), '12345'));
  const intake = createIntake({ ...deps, limits });
  await expect(intake.accept(request(loud, randomUUID(), 'x'))).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: 30,
  });
  await expect(intake.accept(request(quiet, randomUUID(), 'x'))).resolves.toMatchObject({ isRepetition: false });
});

test('the dispatcher starts every batch once, on notice, and again after its lease ran out', async () => {
  const { database: own, close: closeOwn } = await createTestDatabase();
  const tenantId = await createTenant(own);
  const seen: string[] = [];
  const worker = await announceWorker({ database: own, log: silentLog, workerId: randomUUID(), places: 3 });
  const dispatcher = await startDispatcher({
    database: own,
    log: silentLog,
    limits: { tenantShare: 1, quantumBytes: 1e6, leaseSeconds: 1, pollMs: 100 },
    enqueue: async (admissions) => void seen.push(...admissions.map((item) => `${item.batchId}/${item.admission}`)),
  });
  const intake = createIntake({ ...deps, database: own });
  const { batchId } = await intake.accept(request(tenantId, randomUUID(), 'x'));
  await expect.poll(() => seen, { timeout: 5000 }).toEqual([`${batchId}/1`, `${batchId}/2`]);
  await dispatcher.stop();
  await worker.stop();
  await closeOwn();
});

test('no more batches are started than the workers that are there have places for', async () => {
  const { database: own, close: closeOwn } = await createTestDatabase();
  const [loud, quiet] = [await createTenant(own), await createTenant(own)];
  const seen: string[] = [];
  const intake = createIntake({ ...deps, database: own });
  for (const text of ['1', '2', '3', '4', '5', '6']) await intake.accept(request(loud, randomUUID(), text));
  const dispatcher = await startDispatcher({
    database: own,
    log: silentLog,
    limits: { tenantShare: 0.75, quantumBytes: 1e6, leaseSeconds: 60, pollMs: 50 },
    enqueue: async (admissions) => void seen.push(...admissions.map((item) => item.tenantId)),
  });
  await sleep(300);
  expect(seen).toEqual([]);
  const workers = [randomUUID(), randomUUID()];
  const started = await Promise.all(
    workers.map((workerId) => announceWorker({ database: own, log: silentLog, workerId, places: 3 })),
  );
  // Of six places two are kept for the idle; of the four others a tenant has three, and one more for an idle source.
  await expect.poll(() => seen.length, { timeout: 5000 }).toBe(4);
  await intake.accept(request(quiet, randomUUID(), 'x'));
  await expect.poll(() => seen.slice(4), { timeout: 5000 }).toEqual([quiet]);
  await dispatcher.stop();
  await Promise.all(started.map((worker) => worker.stop()));
  await closeOwn();
});

test('together the tenants may not leave more waiting than the deployment holds', async () => {
  const { database: own, close: closeOwn } = await createTestDatabase();
  const [one, two] = [await createTenant(own), await createTenant(own)];
  const limits = { ...defaultIntakeLimits, backlogBytesTotalMax: 9 };
  await createIntake({ ...deps, database: own, limits }).accept(request(one, randomUUID(), '12345'));
  await createIntake({ ...deps, database: own, limits }).accept(request(two, randomUUID(), '12345'));
  const full = createIntake({ ...deps, database: own, limits });
  await expect(full.accept(request(two, randomUUID(), 'x'))).rejects.toMatchObject({
    code: 'unavailable',
    retryAfterSeconds: 30,
  });
  await closeOwn();
});

test('a tenant whose oldest batch waits too long is told to wait, by the clock of the database', async () => {
  const { database: own, close: closeOwn } = await createTestDatabase();
  const tenantId = await createTenant(own);
  const hourOff = { now: () => new Date(Date.now() + 3_600_000) };
  const intake = createIntake({ ...deps, database: own, clock: hourOff });
  await intake.accept(request(tenantId, randomUUID(), 'x'));
  const limits = { ...defaultIntakeLimits, backlogSecondsMax: 60 };
  const strict = createIntake({ ...deps, database: own, limits });
  await expect(strict.accept(request(tenantId, randomUUID(), 'x'))).resolves.toMatchObject({ isRepetition: false });
  await own.withSystem('two minutes go by', (tx) =>
    tx.execute("UPDATE batches SET stored_at = stored_at - interval '2 minutes'"),
  );
  const later = createIntake({ ...deps, database: own, limits });
  await expect(later.accept(request(tenantId, randomUUID(), 'x'))).rejects.toMatchObject({ code: 'rate_limited' });
  await closeOwn();
});

test('one tenant cannot hold all the memory of the intake', async () => {
  const [loud, quiet] = [await createTenant(database), await createTenant(database)];
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const slow = {
    put: async (...args: Parameters<typeof objects.put>) => gate.then(() => objects.put(...args)),
    delete: objects.delete,
  };
  const limits = { ...defaultIntakeLimits, groupWindowMs: 1, heldBytesMax: 10, heldBytesPerTenantMax: 6 };
  const intake = createIntake({ ...deps, objects: slow, limits });
  const held = intake.accept(request(loud, randomUUID(), '12345'));
  await expect(intake.accept(request(loud, randomUUID(), '12'))).rejects.toMatchObject({ code: 'rate_limited' });
  const other = intake.accept(request(quiet, randomUUID(), '1234'));
  await expect(intake.accept(request(quiet, randomUUID(), '12'))).rejects.toMatchObject({ code: 'unavailable' });
  letGo();
  await Promise.all([held, other]);
  await expect(intake.accept(request(loud, randomUUID(), '12'))).resolves.toMatchObject({ isRepetition: false });
});
