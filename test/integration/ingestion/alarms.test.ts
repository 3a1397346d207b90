import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createAlarmService, createSourceService, watchAlarms } from '#ingestion';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createSystemErrorRecorder, createSystemErrorService } from '#system-errors';
import { takeJobs, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { testSecrets } from '../../support/secrets.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const clock = manualClock(new Date('2026-01-01T00:00:00Z'));
const base = { database, clock, ids: systemIds, audit: createAuditRecorder({ database, clock }) };
const alarms = createAlarmService(base);
const errors = createSystemErrorService(base);
const sources = createSourceService({
  ...base,
  secrets: testSecrets(),
  lake: { listFailures: async () => [] },
  hasSchema: async () => true,
});
const watch = () => watchAlarms({ ...base, systemErrors: createSystemErrorRecorder(base) });
const minute = 60_000;

async function newSource(label = 'quiet') {
  const actor = systemActor(await createTenant(database), 'test', traceId);
  const settings = { logTypes: ['Custom.X'], logStreamType: 'Auto', authMethod: 'None' };
  const { id } = await sources.create(actor, { integrationLabel: label, ...settings });
  const place = { sourceId: id, type: 'SOURCE_NO_DATA' };
  const receive = () =>
    database.withTenant(actor.tenantId, (tx) =>
      tx.execute('UPDATE log_sources SET last_received_at = $2 WHERE id = $1', [id, clock.now()]),
    );
  const open = async () =>
    (await errors.list(actor, { isResolved: false })).systemErrors.map(({ type, subjectName }) => [type, subjectName]);
  return { actor, id, place, receive, open };
}

test('silence is raised once, resolved when data comes, and raised again for the next silence', async () => {
  const { actor, place, receive, open } = await newSource();
  await alarms.set(actor, { ...place, minutesThreshold: 15 });
  expect((await alarms.get(actor, place)).state).toBe('INSUFFICIENT_DATA');
  expect(await watch()).toBe(0);
  clock.advance(16 * minute);
  expect(await watch()).toBe(1);
  expect(await watch()).toBe(0);
  expect(await open()).toEqual([['SOURCE_NO_DATA', 'quiet']]);
  expect((await alarms.get(actor, place)).state).toBe('ALARM');
  expect((await takeJobs(database, actor.tenantId)).map(({ job_name: name }) => name)).toHaveLength(1);

  const [error] = (await errors.list(actor, {})).systemErrors;
  await errors.resolve(actor, { id: error?.id });
  clock.advance(minute);
  expect([await watch(), await open()]).toEqual([0, []]);

  await receive();
  expect(await watch()).toBe(1);
  expect((await alarms.get(actor, place)).state).toBe('OK');
  clock.advance(16 * minute);
  await Promise.all([watch(), watch()]);
  expect(await open()).toHaveLength(1);
  expect((await errors.list(actor, { isResolved: false })).systemErrors[0]?.occurrences).toBe(1);
});

test('an alarm that is switched off, or whose source is deleted, takes its error with it', async () => {
  for (const end of ['alarm', 'source'] as const) {
    const { actor, id, place, open } = await newSource(end);
    await alarms.set(actor, { ...place, minutesThreshold: 15 });
    clock.advance(16 * minute);
    await watch();
    expect(await open()).toHaveLength(1);
    await (end === 'alarm' ? alarms.delete(actor, place) : sources.delete(actor, { id }));
    await watch();
    expect(await open()).toEqual([]);
    await alarms.delete(actor, place);
    await expect(alarms.get(actor, place)).rejects.toMatchObject({ code: 'not_found' });
  }
});

test('another tenant has no alarm there and can set none; bounds hold', async () => {
  const { actor, place } = await newSource();
  await alarms.set(actor, { ...place, minutesThreshold: 60 });
  const { actor: stranger } = await newSource('other');
  await expect(alarms.get(stranger, place)).rejects.toMatchObject({ code: 'not_found' });
  await expect(alarms.set(stranger, { ...place, minutesThreshold: 15 })).rejects.toMatchObject({ code: 'not_found' });
  await alarms.delete(stranger, place);
  expect((await alarms.get(actor, place)).minutesThreshold).toBe(60);
  for (const minutesThreshold of [14, 43_201, 15.5])
    await expect(alarms.set(actor, { ...place, minutesThreshold })).rejects.toMatchObject({ code: 'bad_input' });
  const nowhere = { sourceId: randomUUID(), type: 'SOURCE_NO_DATA', minutesThreshold: 15 };
  await expect(alarms.set(actor, nowhere)).rejects.toMatchObject({ code: 'not_found' });
});
