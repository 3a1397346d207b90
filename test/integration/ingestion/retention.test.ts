import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { uploadKey } from '#detections';
import { createRetentionService } from '#identity';
import { createLake, type LakeLayout } from '#lake';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore, tenantKey } from '#platform/objects';
import { retentionTasks } from '../../../src/app/retention.ts';
import { findBatch, insertBatch } from '../../../src/ingestion/batches/batch-store.ts';
import { startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const folder = await mkdtemp(path.join(tmpdir(), 'margay-objects-'));
const objects = createLocalObjectStore(folder);
afterAll(async () => {
  await server.close();
  await close();
  await rm(folder, { recursive: true, force: true });
});

const clock = manualClock(new Date('2026-06-30T12:00:00Z'));
const limits = { rawDays: 30, eventDays: 365, deliveryLogDays: 365 };
const tasks = retentionTasks({ database, objects, clock, lakeClient: server.client }, limits);
const run = async (name: string): Promise<number> => (await tasks.find((task) => task.name === name)?.run()) ?? -1;
const daysAgo = (days: number): Date => new Date(clock.now().getTime() - days * 24 * 3_600_000);

type Made = { id: string; objectKey: string };

async function batch(
  tenantId: string,
  days: number,
  state: string,
  more: { replayOf?: Made; loaded?: boolean; revision?: string } = {},
): Promise<Made> {
  const id = randomUUID();
  const receivedAt = daysAgo(days);
  const objectKey = more.replayOf?.objectKey ?? tenantKey(tenantId, 'raw', receivedAt.toISOString().slice(0, 10), id);
  const rowsKey = tenantKey(tenantId, 'rows', id, 'logs.zst');
  await objects.put(objectKey, Buffer.from('raw'));
  await objects.put(rowsKey, Buffer.from('rows'));
  await objects.put(tenantKey(tenantId, 'results', `${id}.json`), Buffer.from('[]'));
  await database.withTenant(tenantId, async (tx) => {
    const replayOf = more.replayOf?.id ?? null;
    const base = { sourceId: randomUUID(), parts: [], bytes: 3, traceId: '1'.repeat(32), lane: 'live' as const };
    await insertBatch(tx, { ...base, id, receivedAt, objectKey, replayOf });
    await tx.execute('UPDATE batches SET state = $2, manifest = $3 WHERE id = $1', [
      id,
      state,
      JSON.stringify({ contentRevision: more.revision ?? 'r' }),
    ]);
    await tx.execute(
      "INSERT INTO batch_evaluations (tenant_id, batch_id, alert_ids, evaluated_at) VALUES ($1, $2, '[]', now())",
      [tenantId, id],
    );
    const [tableId, loadId] = [randomUUID(), randomUUID()];
    await tx.execute(
      "INSERT INTO lake_tables (tenant_id, id, family, log_type, layout, database_name, table_name, columns) VALUES ($1, $2, 'logs', $3, 'dedicated', 'd', 't', '[]')",
      [tenantId, tableId, id],
    );
    await tx.execute(
      'INSERT INTO lake_loads (tenant_id, id, table_id, state, row_count, bytes) VALUES ($1, $2, $3, $4, 1, 1)',
      [tenantId, loadId, tableId, more.loaded === false ? 'PENDING' : 'LOADED'],
    );
    await tx.execute(
      'INSERT INTO lake_chunks (tenant_id, id, table_id, batch_id, object_key, row_count, bytes, load_id) VALUES ($1, $2, $3, $4, $5, 1, 1, $6)',
      [tenantId, randomUUID(), tableId, id, rowsKey, loadId],
    );
  });
  return { id, objectKey };
}

const isKept = (tenantId: string, { id }: Made): Promise<boolean> =>
  database.withTenant(tenantId, async (tx) => (await findBatch(tx, id)) !== undefined);

const count = (tenantId: string, table: string): Promise<number> =>
  database.withTenant(tenantId, async (tx) =>
    Number((await tx.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n),
  );

test('old batches that are over go with all they left; what waits, is at work, unloaded or young stays', async () => {
  const tenantId = await createTenant(database);
  const gone = await batch(tenantId, 31, 'DONE');
  const kept = [
    await batch(tenantId, 29, 'DONE'),
    await batch(tenantId, 400, 'PENDING'),
    await batch(tenantId, 400, 'ADMITTED'),
    await batch(tenantId, 400, 'DONE', { loaded: false }),
    await batch(tenantId, 89, 'FAILED'),
  ];
  const failedLongAgo = await batch(tenantId, 91, 'FAILED');
  await run('batches');
  expect(await isKept(tenantId, gone)).toBe(false);
  expect(await isKept(tenantId, failedLongAgo)).toBe(false);
  for (const one of kept) expect(await isKept(tenantId, one)).toBe(true);
  const keys = await objects.list(`tenants/${tenantId}/`);
  expect(keys.filter((key) => key.includes(gone.id) || key.includes(failedLongAgo.id))).toEqual([]);
  expect(keys).toHaveLength(kept.length * 3);
  for (const table of ['batch_evaluations', 'lake_chunks', 'lake_loads'])
    expect([table, await count(tenantId, table)]).toEqual([table, kept.length]);
});

test('a batch stays as long as a replay of it does, and its bytes as long as the batch', async () => {
  const tenantId = await createTenant(database);
  const original = await batch(tenantId, 50, 'DONE');
  const replay = await batch(tenantId, 10, 'DONE', { replayOf: original });
  await run('batches');
  expect(await isKept(tenantId, original)).toBe(true);
  clock.advance(25 * 24 * 3_600_000);
  await run('batches');
  expect(await isKept(tenantId, replay)).toBe(false);
  await expect(objects.get(original.objectKey)).resolves.toBeInstanceOf(Buffer);
  await run('batches');
  expect(await isKept(tenantId, original)).toBe(false);
  await expect(objects.get(original.objectKey)).rejects.toMatchObject({ code: 'not_found' });
});

test('raw objects that no batch names are deleted once their day is over, in one tenant as in the other', async () => {
  const [one, other] = [await createTenant(database), await createTenant(database)];
  const named = await batch(one, 200, 'FAILED', {});
  const old = tenantKey(other, 'raw', daysAgo(40).toISOString().slice(0, 10), randomUUID());
  const young = tenantKey(one, 'raw', daysAgo(2).toISOString().slice(0, 10), randomUUID());
  await objects.put(old, Buffer.from('x'));
  await objects.put(young, Buffer.from('x'));
  expect(await run('orphaned objects')).toBe(1);
  await expect(objects.get(old)).rejects.toMatchObject({ code: 'not_found' });
  await expect(objects.get(young)).resolves.toBeInstanceOf(Buffer);
  await expect(objects.get(named.objectKey)).resolves.toBeInstanceOf(Buffer);
});

test('a content revision stays while a batch names it or it was asked for within a day', async () => {
  const tenantId = await createTenant(database);
  await batch(tenantId, 1, 'PENDING', { revision: 'named' });
  const insert = (revision: string, age: string) =>
    database.withTenant(tenantId, (tx) =>
      tx.execute(
        "INSERT INTO detection_revisions (tenant_id, revision, content, used_at) VALUES ($1, $2, '[]', now() - $3::interval)",
        [tenantId, revision, age],
      ),
    );
  await insert('named', '40 days');
  await insert('recent', '2 hours');
  await insert('old', '25 hours');
  await run('content revisions');
  const left = await database.withTenant(tenantId, (tx) =>
    tx.query<{ revision: string }>('SELECT revision FROM detection_revisions ORDER BY 1'),
  );
  expect(left.map((row) => row.revision)).toEqual(['named', 'recent']);
});

test('idempotency keys of more than 14 days and ended sessions go', async () => {
  const tenantId = await createTenant(database);
  for (const [key, days] of [
    ['young', 13],
    ['old', 15],
  ] as const)
    await database.withTenant(tenantId, (tx) =>
      tx.execute(
        'INSERT INTO batch_idempotency_keys (tenant_id, source_id, key, batch_id, created_at) VALUES ($1, $2, $3, $4, $5)',
        [tenantId, randomUUID(), key, randomUUID(), daysAgo(days)],
      ),
    );
  expect(await run('idempotency keys')).toBe(1);
  expect(await count(tenantId, 'batch_idempotency_keys')).toBe(1);
  expect(await run('ended sessions')).toBe(0);
});

const audit = createAuditRecorder({ database, clock });
const service = createRetentionService({ database, audit, limits });
const actorOf = (tenantId: string) => systemActor(tenantId, 'test', '1'.repeat(32));

test('a tenant may keep less than the deployment and not more, and others are not touched', async () => {
  const [short, other] = [await createTenant(database), await createTenant(database)];
  expect(await service.update(actorOf(short), { rawDays: 10, eventDays: 30 })).toMatchObject({
    effective: { rawDays: 10, eventDays: 30, deliveryLogDays: 365 },
    own: { rawDays: 10, eventDays: 30, deliveryLogDays: null },
  });
  await expect(service.update(actorOf(short), { rawDays: 31 })).rejects.toMatchObject({
    code: 'bad_input',
    field: 'rawDays',
    publicMessage: 'rawDays: this deployment keeps at most 30 days',
  });
  await expect(service.update(actorOf(short), { eventDays: 3 })).rejects.toMatchObject({ field: 'eventDays' });
  await expect(service.update(actorOf(short), { eventDays: 1e12 })).rejects.toMatchObject({
    code: 'bad_input',
    publicMessage: expect.stringContaining('must be 3650 or less'),
  });
  const [gone, kept] = [await batch(short, 11, 'DONE'), await batch(short, 9, 'DONE')];
  const [failed, working] = [await batch(short, 29, 'FAILED'), await batch(short, 11, 'ADMITTED')];
  const failedLongAgo = await batch(short, 31, 'FAILED');
  const others = await batch(other, 11, 'DONE');
  await run('batches');
  for (const one of [gone, failedLongAgo]) expect(await isKept(short, one)).toBe(false);
  for (const one of [kept, failed, working]) expect(await isKept(short, one)).toBe(true);
  expect(await isKept(other, others)).toBe(true);
  expect(await service.update(actorOf(short), {})).toMatchObject({ effective: limits });
  expect(await count(short, 'audit_events')).toBe(2);
});

test.each(['dedicated', 'pooled'] satisfies LakeLayout[])(
  'rows of a %s table go when their tenant wants it, and those of others stay',
  async (layout) => {
    const lake = createLake({ database, client: server.client, objects, ids: systemIds, log: silentLog, layout });
    const [short, other] = [await createTenant(database), await createTenant(database)];
    const logType = `Custom.${layout}`;
    for (const tenantId of [short, other]) {
      const lines = [100, 60, 10, 0].map((days) =>
        JSON.stringify({
          p_log_type: logType,
          p_row_id: `${days}`,
          p_event_time: daysAgo(days),
          p_parse_time: daysAgo(days),
        }),
      );
      const rows = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const staged = await lake.stage(tenantId, randomUUID(), [{ family: 'logs', logType, rows, count: lines.length }]);
      await database.withTenant(tenantId, (tx) => staged.register(tx));
      while ((await lake.loader.round()) === 0);
    }
    await service.update(actorOf(short), { eventDays: 50 });
    expect(await run('rows of the lake')).toBe(2);
    expect(await run('rows of the lake')).toBe(0);
    const window = { from: daysAgo(200), to: daysAgo(-1) };
    const left = await lake.reader.listEvents(short, logType, window, 10);
    expect(left.map((row) => row['p_row_id'])).toEqual(['0', '10']);
    expect(await lake.reader.listEvents(other, logType, window, 10)).toHaveLength(4);
  },
);

test('attempts of deliveries that ended go after their time; those of one that waits stay', async () => {
  const tenantId = await createTenant(database);
  await service.update(actorOf(tenantId), { deliveryLogDays: 20 });
  await database.withTenant(tenantId, async (tx) => {
    const destination = randomUUID();
    await tx.execute(
      "INSERT INTO destinations (tenant_id, id, kind, name, severities, configuration) VALUES ($1, $2, 'WEBHOOK', 'd', '{}', '')",
      [tenantId, destination],
    );
    for (const [index, [state, days]] of (
      [
        ['DELIVERED', 21],
        ['DELIVERED', 19],
        ['PENDING', 21],
      ] as const
    ).entries()) {
      const id = String(index).padStart(32, '0');
      await tx.execute(
        `INSERT INTO alerts (tenant_id, id, type, status, title, severity, detection_id, detection_name, dedup, log_types, tags, event_count,
           created_at, first_received_at, last_received_at, trace_id)
         VALUES ($1, $2, 'RULE', 'OPEN', 't', 'LOW', 'd', 'd', 'd', '{}', '{}', 1, now(), now(), now(), 't')`,
        [tenantId, id],
      );
      await tx.execute(
        `INSERT INTO alert_deliveries (tenant_id, id, alert_id, destination_id, state, next_attempt_at, created_at) VALUES ($1, $2, $2, $3, $4, now(), now())`,
        [tenantId, id, destination, state],
      );
      await tx.execute(
        `INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, dispatched_at, duration_ms, success, status_code, message)
         VALUES ($1, $2, 1, $3, 1, true, 200, '')`,
        [tenantId, id, daysAgo(days)],
      );
    }
  });
  expect(await run('delivery attempts')).toBe(1);
  expect(await count(tenantId, 'alert_delivery_attempts')).toBe(2);
});

test('archives of uploads go with their receipts, and those that never had one after a day', async () => {
  const tenantId = await createTenant(database);
  const insert = (id: string, age: string) =>
    database.withTenant(tenantId, (tx) =>
      tx.execute(
        `INSERT INTO content_uploads (tenant_id, id, kind, mode, status, actor, created_at)
         VALUES ($1, $2, 'UPLOAD', 'CLASSIC_ZIP', 'NOT_PROCESSED', '{}', now() - $3::interval)`,
        [tenantId, id, age],
      ),
    );
  const old = '00000000-0000-7000-8000-000000000001';
  const [waiting, orphan, young] = ['000000000003', '000000000002', ''].map((end) =>
    end === '' ? systemIds.uuid() : `00000000-0000-7000-8000-${end}`,
  ) as [string, string, string];
  await insert(old, '31 days');
  await insert(waiting, '1 day');
  for (const id of [old, waiting, orphan, young]) await objects.put(uploadKey(tenantId, id), Buffer.from('zip'));
  await run('orphaned objects');
  expect(await run('receipts of uploads')).toBe(1);
  expect(await objects.list(`tenants/${tenantId}/uploads/`)).toEqual(
    [waiting, young].map((id) => uploadKey(tenantId, id)).toSorted(),
  );
  expect(await count(tenantId, 'content_uploads')).toBe(1);
});
