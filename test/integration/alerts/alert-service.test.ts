import { afterAll, expect, test } from 'vitest';
import { type Actor, type LogTypeAccess, type Permission, systemActor } from '#access';
import { createAuditService } from '#audit';
import { createAlertsRoom, newMatch, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const room = createAlertsRoom(database);
const { alerts } = room;
const audit = createAuditService({ database });

const owner = (tenantId: string): Actor => systemActor(tenantId, 'test', traceId);
const holding = (tenantId: string, ...permissions: Permission[]): Actor => ({
  ...owner(tenantId),
  permissions: new Set(permissions),
});
const reading = (tenantId: string, logTypeAccess: LogTypeAccess): Actor => ({ ...owner(tenantId), logTypeAccess });

const everything = () => ({ createdAtAfter: new Date(0), createdAtBefore: new Date('2100-01-01T00:00:00Z') });
const titles = async (actor: Actor, input: object = {}) =>
  (await alerts.list(actor, { ...everything(), ...input })).alerts.map(({ title }) => title).toSorted();

async function setUp(...over: Parameters<typeof newMatch>[0][]) {
  const tenantId = await createTenant(database);
  const matches = over.map((item, index) => newMatch({ dedup: `key ${index}`, title: `Alert ${index}`, ...item }));
  const ids = (await room.apply(tenantId, matches)).map((id) => id ?? '');
  return { tenantId, ids };
}

test('every filter keeps what it says and nothing else', async () => {
  const { tenantId, ids } = await setUp(
    { severity: 'LOW', sourceId: 's1' },
    { severity: 'INFO', logType: 'Okta.SystemLog', detectionId: 'Okta.Rule' },
    { type: 'RULE_ERROR', title: 'KeyError("x")' },
    { title: '100% \\ sure_thing' },
  );
  const actor = owner(tenantId);
  const user = await room.addUser(tenantId, 'ada@example.com');
  await room.apply(tenantId, [newMatch({ dedup: 'key 0', logType: 'AWS.Other' })]);
  await alerts.updateStatus(actor, { ids: [ids[3]], status: 'TRIAGED' });
  await alerts.updateAssigneeById(actor, { ids: [ids[0]], assigneeId: user });
  const all = ['100% \\ sure_thing', 'Alert 0', 'Alert 1'];
  expect(await titles(actor)).toEqual(all);
  expect(await titles(actor, { type: 'ALERT', subtypes: ['RULE'] })).toEqual(all);
  expect(await titles(actor, { subtypes: ['POLICY'] })).toEqual([]);
  expect(await titles(actor, { type: 'DETECTION_ERROR' })).toEqual(['KeyError("x")']);
  expect(await titles(actor, { type: 'SYSTEM_ERROR' })).toEqual([]);
  expect(await titles(actor, { severities: ['LOW'] })).toEqual(['Alert 0']);
  expect(await titles(actor, { severities: [], statuses: [] })).toEqual(all);
  expect(await titles(actor, { statuses: ['RESOLVED'] })).toEqual(['Alert 1']);
  expect(await titles(actor, { statuses: ['TRIAGED', 'RESOLVED'] })).toEqual(['100% \\ sure_thing', 'Alert 1']);
  expect(await titles(actor, { assigneeIds: [user] })).toEqual(['Alert 0']);
  expect(await titles(actor, { logTypes: ['AWS.Other', 'None.Such'] })).toEqual(['Alert 0']);
  expect(await titles(actor, { logSources: ['s1'] })).toEqual(['Alert 0']);
  expect(await titles(actor, { resourceTypes: ['AWS.S3.Bucket'] })).toEqual([]);
  expect(await titles(actor, { eventCountMin: 2 })).toEqual(['Alert 0']);
  expect(await titles(actor, { eventCountMax: 1 })).toEqual(['100% \\ sure_thing', 'Alert 1']);
  expect(await titles(actor, { nameContains: 'ALERT' })).toEqual(['Alert 0', 'Alert 1']);
  expect(await titles(actor, { nameContains: '% \\ sure_' })).toEqual(['100% \\ sure_thing']);
  expect(await titles(actor, { nameContains: 'sure%' })).toEqual([]);
  expect(await titles(actor, { nameContains: '' })).toEqual(all);
  expect(await titles(actor, { createdAtBefore: new Date(room.clock.now().getTime() - 1) })).toEqual([]);
  const byDetection = await alerts.list(actor, { detectionId: 'Okta.Rule' });
  expect(byDetection.alerts.map(({ title }) => title)).toEqual(['Alert 1']);
});

test('pages in both directions hold every alert once, and only edges have no cursor', async () => {
  const { tenantId } = await setUp(...Array.from({ length: 7 }, () => ({})));
  room.clock.advance(1000);
  await room.apply(tenantId, [newMatch({ dedup: 'late', title: 'Late' })]);
  for (const sortDir of ['ascending', 'descending'] as const) {
    const seen: string[] = [];
    let cursor: string | null = '';
    const starts: (string | null)[] = [];
    do {
      const page: Awaited<ReturnType<typeof alerts.list>> = await alerts.list(owner(tenantId), {
        ...everything(),
        pageSize: 3,
        sortDir,
        cursor,
      });
      seen.push(...page.alerts.map(({ title }) => title));
      starts.push(page.startCursor);
      cursor = page.endCursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(8);
    expect(seen).toHaveLength(8);
    expect(seen.at(sortDir === 'ascending' ? -1 : 0)).toBe('Late');
    expect(starts.map((start) => start === null)).toEqual([true, false, false]);
  }
});

test.each([
  [{}, 'createdAtAfter'],
  [{ createdAtAfter: new Date() }, 'createdAtAfter'],
  [{ detectionId: 'x', pageSize: 0 }, 'pageSize'],
  [{ detectionId: 'x', pageSize: 101 }, 'pageSize'],
  [{ detectionId: 'x', cursor: 'nonsense' }, 'cursor'],
  [{ detectionId: 'x', subtypes: ['RULE_ERROR'] }, 'subtypes'],
  [{ detectionId: 'x', type: 'SYSTEM_ERROR', subtypes: ['SYSTEM_ERROR'] }, 'subtypes'],
  [{ detectionId: 'x', nameContains: 'a\0b' }, 'nameContains'],
  [{ detectionId: 'x', unknown: 1 }, 'input'],
])('the filter %o is refused by the name of its field', async (input, field) => {
  const tenantId = await createTenant(database);
  await expect(alerts.list(owner(tenantId), input)).rejects.toMatchObject({ code: 'bad_input', field });
});

test('status, assignee and comments change what they should and name who did it, in the audit log too', async () => {
  const { tenantId, ids } = await setUp({}, {});
  const actor = owner(tenantId);
  const user = await room.addUser(tenantId, 'ada@example.com');
  room.clock.advance(1000);
  const changed = await alerts.updateStatus(actor, { ids: [...ids, ids[0]].toReversed(), status: 'CLOSED' });
  expect(changed.map(({ id, status }) => [id, status])).toEqual([
    [ids[0], 'CLOSED'],
    [ids[1], 'CLOSED'],
  ]);
  expect(changed[0]).toMatchObject({ updatedAt: room.clock.now(), updatedBy: { kind: 'system', name: 'test' } });
  const [assigned] = await alerts.updateAssigneeByEmail(actor, { ids: [ids[0]], assigneeEmail: 'ADA@example.com' });
  expect(assigned?.assigneeId).toBe(user);
  expect((await alerts.updateAssigneeById(actor, { ids: [ids[0]] }))[0]?.assigneeId).toBeNull();
  const comment = await alerts.createComment(actor, { alertId: ids[0], body: '<b>seen</b>', format: 'HTML' });
  await alerts.createComment(actor, { alertId: ids[0], body: 'plain' });
  expect(await alerts.listComments(actor, { alertIds: ids })).toMatchObject([
    { id: comment.id, body: '<b>seen</b>', format: 'HTML', createdBy: { kind: 'system' } },
    { body: 'plain', format: 'PLAIN_TEXT' },
  ]);
  const events = (await audit.list(actor, {})).events.filter(({ action }) => action.includes('ALERT'));
  expect(events.map(({ action }) => action)).toEqual([
    'CREATE_ALERT_COMMENT',
    'CREATE_ALERT_COMMENT',
    'UPDATE_ALERT_ASSIGNEE',
    'UPDATE_ALERT_ASSIGNEE',
    'UPDATE_ALERT_STATUS',
  ]);
  expect(events.at(-1)?.parameters).toEqual({
    status: 'CLOSED',
    previous: Object.fromEntries(ids.map((id) => [id, 'OPEN'])),
  });
});

test('closing an alert does not close its window', async () => {
  const { tenantId, ids } = await setUp({});
  await alerts.updateStatus(owner(tenantId), { ids, status: 'CLOSED' });
  expect(await room.apply(tenantId, [newMatch({ dedup: 'key 0' })])).toEqual(ids);
  expect(await alerts.get(owner(tenantId), { id: ids[0] })).toMatchObject({ status: 'CLOSED', eventCount: 2 });
});

test('a bulk change of which one alert is missing changes none', async () => {
  const { tenantId, ids } = await setUp({});
  const input = { ids: [...ids, '0'.repeat(32)], status: 'CLOSED' };
  await expect(alerts.updateStatus(owner(tenantId), input)).rejects.toMatchObject({ code: 'not_found' });
  expect(await alerts.get(owner(tenantId), { id: ids[0] })).toMatchObject({ status: 'OPEN' });
});

test('changes and matches at the same time over the same alerts do not deadlock', async () => {
  const { tenantId, ids } = await setUp(...Array.from({ length: 20 }, () => ({})));
  const work = Array.from({ length: 12 }, (_, round) => [
    alerts.updateStatus(owner(tenantId), { ids: round % 2 ? ids : ids.toReversed(), status: 'TRIAGED' }),
    room.apply(
      tenantId,
      ids.map((_id, index) => newMatch({ dedup: `key ${round % 2 ? index : ids.length - 1 - index}` })),
    ),
  ]);
  await Promise.all(work.flat());
  const found = await alerts.list(owner(tenantId), everything());
  expect(new Set(found.alerts.map(({ eventCount, status }) => `${eventCount} ${status}`))).toEqual(
    new Set(['13 TRIAGED']),
  );
});

test('events are asked for within the times of the alert', async () => {
  const from = new Date('2025-12-31T00:00:00Z');
  const { tenantId, ids } = await setUp({ eventTime: from });
  const page = await alerts.listEvents(owner(tenantId), { alertId: ids[0], cursor: '', pageSize: 10 });
  expect(page.rows).toEqual([{ p_row_id: '1' }]);
  expect(room.asked.at(-1)).toEqual([
    tenantId,
    { id: ids[0], family: 'rule_matches' },
    { from, to: from },
    { size: 10 },
  ]);
});

test('an alert with a log type that the role may not read does not exist for it', async () => {
  const { tenantId, ids } = await setUp({ logType: 'AWS.CloudTrail' }, { logType: 'Okta.SystemLog' });
  await room.apply(tenantId, [newMatch({ dedup: 'key 1', logType: 'AWS.CloudTrail' })]);
  const cloudOnly = reading(tenantId, { kind: 'ALLOW', logTypes: new Set(['AWS.CloudTrail']) });
  const notOkta = reading(tenantId, { kind: 'DENY', logTypes: new Set(['Okta.SystemLog']) });
  const nothing = reading(tenantId, { kind: 'DENY_ALL' });
  expect(await titles(cloudOnly)).toEqual(['Alert 0']);
  expect(await titles(notOkta)).toEqual(['Alert 0']);
  expect(await titles(nothing)).toEqual([]);
  const hidden = ids[1];
  await Promise.all(
    [
      alerts.get(cloudOnly, { id: hidden }),
      alerts.listEvents(notOkta, { alertId: hidden }),
      alerts.updateStatus(cloudOnly, { ids, status: 'CLOSED' }),
      alerts.createComment(notOkta, { alertId: hidden, body: 'x' }),
    ].map((refused) => expect(refused).rejects.toMatchObject({ code: 'not_found' })),
  );
  await alerts.createComment(owner(tenantId), { alertId: hidden, body: 'x' });
  expect(await alerts.listComments(cloudOnly, { alertIds: ids })).toEqual([]);
});

test('the ids of one tenant do not exist for another, in every operation and with the same words', async () => {
  const { tenantId, ids } = await setUp({});
  const stranger = owner(await createTenant(database));
  const user = await room.addUser(tenantId, 'ada@example.com');
  const actions: ((actor: Actor, id: string | undefined) => Promise<unknown>)[] = [
    (actor, id) => alerts.get(actor, { id }),
    (actor, id) => alerts.listEvents(actor, { alertId: id }),
    (actor, id) => alerts.updateStatus(actor, { ids: [id], status: 'CLOSED' }),
    (actor, id) => alerts.updateAssigneeById(actor, { ids: [id] }),
    (actor, id) => alerts.createComment(actor, { alertId: id, body: 'x' }),
    (actor, id) => alerts.retryDelivery(actor, { id }),
  ];
  const textOf = async (action: Promise<unknown>) => String(await action.catch((error: unknown) => error));
  for (const action of actions) {
    const foreign = await textOf(action(stranger, ids[0]));
    const missing = await textOf(action(stranger, 'f'.repeat(32)));
    expect(foreign).toContain('There is no ');
    expect(foreign.replace(ids[0] ?? '', 'ID')).toBe(missing.replace('f'.repeat(32), 'ID'));
  }
  expect(await titles(stranger)).toEqual([]);
  expect(await alerts.listDeliveries(stranger, { alertIds: ids })).toEqual([]);
  const own = await room.apply(stranger.tenantId, [newMatch()]);
  await expect(alerts.updateAssigneeById(stranger, { ids: own, assigneeId: user })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(
    alerts.updateAssigneeByEmail(stranger, { ids: own, assigneeEmail: 'ada@example.com' }),
  ).rejects.toMatchObject({ code: 'bad_input', field: 'assigneeEmail' });
});

test('reading needs AlertRead and changing needs AlertModify', async () => {
  const { tenantId, ids } = await setUp({});
  const reader = holding(tenantId, 'AlertRead');
  const nobody = holding(tenantId, 'RuleRead');
  expect(await titles(reader)).toEqual(['Alert 0']);
  await Promise.all(
    [
      alerts.list(nobody, everything()),
      alerts.get(nobody, { id: ids[0] }),
      alerts.listEvents(nobody, { alertId: ids[0] }),
      alerts.listComments(nobody, { alertIds: ids }),
      alerts.listDeliveries(nobody, { alertIds: ids }),
      alerts.updateStatus(reader, { ids, status: 'OPEN' }),
      alerts.updateAssigneeById(reader, { ids }),
      alerts.updateAssigneeByEmail(reader, { ids }),
      alerts.createComment(reader, { alertId: ids[0], body: 'x' }),
      alerts.retryDelivery(reader, { id: ids[0] }),
    ].map((refused) => expect(refused).rejects.toMatchObject({ code: 'forbidden' })),
  );
});
