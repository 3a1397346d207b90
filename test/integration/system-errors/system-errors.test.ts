import { afterAll, expect, test } from 'vitest';
import { type Permission, systemActor } from '#access';
import { createSystemErrorAlerts, raiseMissed } from '#alerts';
import { createAuditRecorder } from '#audit';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createSystemErrorRecorder, createSystemErrorService, type SystemErrorType } from '#system-errors';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const clock = manualClock(new Date('2026-01-01T00:00:00Z'));
const recorder = createSystemErrorRecorder({ clock, ids: systemIds });
const service = createSystemErrorService({ database, audit: createAuditRecorder({ database, clock }), clock });
const traceId = '0'.repeat(32);
const owner = (tenantId: string) => systemActor(tenantId, 'test', traceId);
const without = (tenantId: string, ...permissions: Permission[]) => ({
  ...owner(tenantId),
  permissions: new Set(permissions),
});

const record = (tenantId: string, subjectId: string, type: SystemErrorType = 'ALERT_DELIVERY') =>
  database.withTenant(tenantId, (tx) =>
    recorder.record(tx, { type, subjectId, subjectName: 'Pager', message: `at ${clock.now().toISOString()}`, traceId }),
  );
const jobsOf = (tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.query<{ payload: { systemErrorId: string } }>(
      "SELECT payload FROM outbox_jobs WHERE job_name = 'system-errors.raised'",
    ),
  );

test('the same trouble counts into one entry and asks for one alert', async () => {
  const tenantId = await createTenant(database);
  await record(tenantId, 'd1');
  clock.advance(1000);
  await record(tenantId, 'd1');
  await record(tenantId, 'd2');
  const { systemErrors } = await service.list(owner(tenantId), {});
  expect(systemErrors.find(({ subjectId }) => subjectId === 'd1')).toMatchObject({
    occurrences: 2,
    message: `at ${clock.now().toISOString()}`,
    lastSeenAt: clock.now(),
    resolvedAt: null,
  });
  const jobs = await jobsOf(tenantId);
  expect(jobs.map(({ payload }) => payload.systemErrorId).toSorted()).toEqual(
    systemErrors.map(({ id }) => id).toSorted(),
  );
});

test('trouble at the same time from many sides is one entry', async () => {
  const tenantId = await createTenant(database);
  await Promise.all(Array.from({ length: 12 }, () => record(tenantId, 'd1')));
  expect(await service.list(owner(tenantId), {})).toMatchObject({ systemErrors: [{ occurrences: 12 }] });
  expect(await jobsOf(tenantId)).toHaveLength(1);
});

test('after it is resolved, the same trouble is a new entry', async () => {
  const tenantId = await createTenant(database);
  await record(tenantId, 'd1');
  const [first] = (await service.list(owner(tenantId), {})).systemErrors;
  const resolved = await service.resolve(owner(tenantId), { id: first?.id });
  expect(resolved.resolvedAt).toEqual(clock.now());
  await record(tenantId, 'd1');
  await database.withTenant(tenantId, (tx) => recorder.resolve(tx, 'ALERT_DELIVERY', 'd1'));
  await record(tenantId, 'd1');
  expect((await service.list(owner(tenantId), {})).systemErrors).toHaveLength(3);
  expect((await service.list(owner(tenantId), { isResolved: false })).systemErrors).toHaveLength(1);
});

test('pages follow one another without gaps', async () => {
  const tenantId = await createTenant(database);
  for (const subject of ['a', 'b', 'c']) await record(tenantId, subject);
  const first = await service.list(owner(tenantId), { pageSize: 2 });
  const second = await service.list(owner(tenantId), { pageSize: 2, cursor: first.endCursor });
  expect(second.endCursor).toBeNull();
  const subjects = [...first.systemErrors, ...second.systemErrors].map(({ subjectId }) => subjectId);
  expect(subjects.toSorted()).toEqual(['a', 'b', 'c']);
});

test('another tenant, a missing permission and bad input are refused', async () => {
  const tenantId = await createTenant(database);
  const stranger = await createTenant(database);
  await record(tenantId, 'd1');
  const id = (await service.list(owner(tenantId), {})).systemErrors[0]?.id;
  expect((await service.list(owner(stranger), {})).systemErrors).toEqual([]);
  await expect(service.resolve(owner(stranger), { id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(service.list(without(tenantId, 'RuleRead'), {})).rejects.toMatchObject({ code: 'forbidden' });
  await expect(service.resolve(without(tenantId, 'AlertRead'), { id })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(service.list(owner(tenantId), { cursor: 'x' })).rejects.toMatchObject({ field: 'cursor' });
  await expect(service.resolve(owner(tenantId), { id: 'x' })).rejects.toMatchObject({ code: 'bad_input' });
});

test('an error whose job was lost gets its alert all the same, once', async () => {
  const tenantId = await createTenant(database);
  for (const subject of ['lost', 'raised']) await record(tenantId, subject);
  const { systemErrors } = await service.list(owner(tenantId), {});
  const idOf = (subject: string) => systemErrors.find(({ subjectId }) => subjectId === subject)?.id ?? '';
  await createSystemErrorAlerts({ database, systemErrors: recorder, clock }).raise(tenantId, idOf('raised'));
  const enqueued: unknown[] = [];
  const jobs = {
    enqueueAll: async (_job: unknown, items: readonly { readonly payload: unknown }[]) =>
      void enqueued.push(...items.map(({ payload }) => payload)),
  };
  await raiseMissed({ database, jobs, clock });
  const own = enqueued.filter((payload) => (payload as { tenantId: string }).tenantId === tenantId);
  expect(own).toEqual([{ tenantId, systemErrorId: idOf('lost') }]);
});
