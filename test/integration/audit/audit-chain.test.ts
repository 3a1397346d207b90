import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { defineMutation, systemActor } from '#access';
import { createAuditRecorder, createAuditService } from '#audit';
import { manualClock } from '#platform/clock';
import { badInput } from '#platform/errors';
import { z } from 'zod';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, superuserUrl, close } = await createTestDatabase();
afterAll(close);
const recorder = createAuditRecorder({ database, clock: manualClock(new Date('2026-01-02T03:04:05.678Z')) });
const service = createAuditService({ database });
const operation = defineMutation({
  name: 'changeThing',
  summary: 'For this test.',
  permission: 'UserModify',
  audit: 'CHANGE_THING',
  input: z.any(),
});

const actorOf = (tenantId: string) => systemActor(tenantId, 'test', '0'.repeat(32));
const record = (tenantId: string, id: string) =>
  database.withTenant(tenantId, (tx) =>
    recorder.record(tx, actorOf(tenantId), operation, {
      target: { kind: 'thing', id },
      parameters: { b: 1, a: [null, 'x'] },
    }),
  );

test('rows follow one another and a page carries the cursor of the next', async () => {
  const tenantId = await createTenant(database);
  for (const id of ['one', 'two', 'three']) await record(tenantId, id);
  const first = await service.list(actorOf(tenantId), { pageSize: 2 });
  expect(first.events.map((event) => event.targetId)).toEqual(['three', 'two']);
  const second = await service.list(actorOf(tenantId), { pageSize: 2, cursor: first.endCursor });
  expect(second.events.map((event) => event.targetId)).toEqual(['one']);
  expect(second.endCursor).toBeNull();
  expect(await service.findBreak(tenantId)).toBeUndefined();
});

test('twenty writers at once make one unbroken chain', async () => {
  const tenantId = await createTenant(database);
  await Promise.all(Array.from({ length: 20 }, (_, index) => record(tenantId, String(index))));
  expect(await service.findBreak(tenantId)).toBeUndefined();
});

test('a row that was changed behind our back breaks the chain at its number', async () => {
  const tenantId = await createTenant(database);
  for (const id of ['one', 'two', 'three']) await record(tenantId, id);
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query("UPDATE audit_events SET target_id = 'forged' WHERE tenant_id = $1 AND sequence = 2", [
    tenantId,
  ]);
  await superuser.end();
  expect(await service.findBreak(tenantId)).toBe(2);
});

test('the application cannot change or delete a row', async () => {
  const tenantId = await createTenant(database);
  await record(tenantId, 'one');
  for (const sql of ['DELETE FROM audit_events', "UPDATE audit_events SET action = 'X'"])
    await expect(database.withTenant(tenantId, (tx) => tx.execute(sql))).rejects.toThrow(/permission denied/);
});

test('a change that rolls back leaves no row, and its refusal is recorded as FAILED', async () => {
  const tenantId = await createTenant(database);
  const failing = database.withTenant(tenantId, async (tx) => {
    await recorder.record(tx, actorOf(tenantId), operation);
    throw badInput('name', 'name: is empty\nforged line');
  });
  const error = await failing.catch((reason: unknown) => reason);
  await recorder.recordFailure(actorOf(tenantId), operation, error);
  const { events } = await service.list(actorOf(tenantId), {});
  expect(events).toMatchObject([
    { sequence: 1, action: 'CHANGE_THING', result: 'FAILED', error: 'name: is empty forged line' },
  ]);
});
