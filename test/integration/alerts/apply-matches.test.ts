import { afterAll, expect, test } from 'vitest';
import { createAlertIntake, type DetectionMatch } from '#alerts';
import { systemClock } from '#platform/clock';
import type { TenantTx } from '#platform/postgres';
import { newMatch, storedAlerts, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const intake = createAlertIntake({ clock: systemClock });
const now = new Date('2026-01-01T00:00:02Z');

const apply = (tenantId: string, matches: readonly DetectionMatch[], evaluatedAt = now) =>
  database.withTenant(tenantId, (tx) =>
    intake.applyMatches(tx, { batchId: '00000000-0000-4000-8000-000000000000', evaluatedAt, traceId, matches }),
  );

test('an alert is made of its first match and sums up all of them', async () => {
  const tenantId = await createTenant(database);
  const first = newMatch({ eventTime: new Date('2026-01-01T00:00:00.500Z'), context: '{"n":9007199254740993}' });
  const ids = await apply(tenantId, [first, newMatch({ title: 'Other', eventTime: new Date('2025-12-31T23:00:00Z') })]);
  await apply(tenantId, [newMatch({ logType: 'AWS.Other', receivedAt: new Date('2026-01-01T00:00:05Z') })]);
  expect(ids).toEqual([ids[0], ids[0]]);
  expect(await storedAlerts(database, tenantId)).toMatchObject([
    {
      id: ids[0],
      type: 'RULE',
      status: 'OPEN',
      title: 'Root logged in',
      event_count: '3',
      context: '{"n":9007199254740993}',
      log_types: ['AWS.CloudTrail', 'AWS.Other'],
      first_event_at: new Date('2025-12-31T23:00:00Z'),
      last_event_at: new Date('2026-01-01T00:00:00.500Z'),
      first_received_at: new Date('2026-01-01T00:00:01Z'),
      last_received_at: new Date('2026-01-01T00:00:05Z'),
      trace_id: traceId,
    },
  ]);
});

test('an INFO alert starts resolved', async () => {
  const tenantId = await createTenant(database);
  await apply(tenantId, [newMatch({ severity: 'INFO' })]);
  expect(await storedAlerts(database, tenantId)).toMatchObject([{ status: 'RESOLVED' }]);
});

test('matches below the threshold carry over to the next batch with content and times', async () => {
  const tenantId = await createTenant(database);
  const early = new Date('2025-12-31T22:00:00.123Z');
  const waiting = await apply(tenantId, [newMatch({ threshold: 3, title: 'First', eventTime: early })]);
  expect(await storedAlerts(database, tenantId)).toEqual([]);
  const reached = await apply(tenantId, [newMatch({ threshold: 3 }), newMatch({ threshold: 3 })]);
  expect(await storedAlerts(database, tenantId)).toMatchObject([
    { id: waiting[0], title: 'First', event_count: '3', first_event_at: early },
  ]);
  expect(reached).toEqual([waiting[0], waiting[0]]);
});

test('a batch that rolls back and comes again makes the same alert once', async () => {
  const tenantId = await createTenant(database);
  let lost: readonly (string | null)[] = [];
  const work = async (tx: TenantTx) => {
    lost = await intake.applyMatches(tx, {
      batchId: '00000000-0000-4000-8000-000000000000',
      evaluatedAt: now,
      traceId,
      matches: [newMatch()],
    });
    throw new Error('crash');
  };
  await expect(database.withTenant(tenantId, work)).rejects.toThrow('crash');
  expect(await storedAlerts(database, tenantId)).toEqual([]);
  expect(await apply(tenantId, [newMatch()])).toEqual(lost);
});

test('the same rule and dedup string of two tenants are two alerts with different ids', async () => {
  const [one, two] = [await createTenant(database), await createTenant(database)];
  const [idOfOne] = await apply(one, [newMatch()]);
  const [idOfTwo] = await apply(two, [newMatch()]);
  expect(idOfOne).not.toBe(idOfTwo);
  expect(await storedAlerts(database, one)).toMatchObject([{ id: idOfOne, event_count: '1' }]);
});

test('batches at the same time, over the same keys in any order, lose and double nothing', async () => {
  const tenantId = await createTenant(database);
  const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
  const batches = Array.from({ length: 24 }, (_, batch) =>
    keys.map((_key, index) => newMatch({ dedup: `key ${(index * 7 + batch * 13) % keys.length}`, threshold: 2 })),
  );
  await Promise.all(batches.map((matches) => apply(tenantId, matches)));
  const alerts = await storedAlerts(database, tenantId);
  expect(alerts).toHaveLength(keys.length);
  expect(new Set(alerts.map((alert) => alert.event_count))).toEqual(new Set(['24']));
});

test('texts that Postgres refuses do not stop a batch', async () => {
  const tenantId = await createTenant(database);
  const odd = newMatch({
    title: 'a\0b\ud800',
    dedup: '\u{1F600}'.repeat(500),
    context: '{"a":"\\u0000\\ud800"}',
    tags: ['"', '{}', 'NULL', '\\'],
  });
  await apply(tenantId, [odd]);
  expect(await storedAlerts(database, tenantId)).toMatchObject([
    { title: 'ab\ufffd', context: '{"a":"\\u0000\\ud800"}', tags: ['"', '{}', 'NULL', '\\'] },
  ]);
});

test.each([
  ['one key', () => 'same'],
  ['a key each', (index: number) => `key ${index}`],
])('10,000 matches of %s take a handful of statements', async (_name, dedupOf) => {
  const tenantId = await createTenant(database);
  const matches = Array.from({ length: 10_000 }, (_, index) => newMatch({ dedup: dedupOf(index) }));
  let statements = 0;
  const startedAt = performance.now();
  await database.withTenant(tenantId, (tx) => {
    const counted: TenantTx = Object.create(tx, {
      query: { value: (...args: Parameters<TenantTx['query']>) => ((statements += 1), tx.query(...args)) },
      execute: { value: (...args: Parameters<TenantTx['execute']>) => ((statements += 1), tx.execute(...args)) },
    });
    return intake.applyMatches(counted, { batchId: '', evaluatedAt: now, traceId, matches });
  });
  process.stdout.write(`10,000 matches: ${Math.round(performance.now() - startedAt)} ms, ${statements} statements\n`);
  expect(statements).toBeLessThanOrEqual(10);
  const alerts = await storedAlerts(database, tenantId);
  expect(alerts.reduce((sum, alert) => sum + Number(alert.event_count), 0)).toBe(10_000);
});
