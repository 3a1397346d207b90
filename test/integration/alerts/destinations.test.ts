import { afterAll, expect, test } from 'vitest';
import { type Actor, type Permission, systemActor } from '#access';
import { createAuditService } from '#audit';
import { createAlertsRoom, newMatch, takeJobs, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';

const { database, close } = await createTestDatabase();
let status = 200;
const receiver = await startReceiver(() => status);
afterAll(async () => {
  await receiver.close();
  await close();
});
const { destinations, systemErrors, alerts, apply, deliverer } = createAlertsRoom(database);
const strict = createAlertsRoom(database, { allowCidrs: [] }).destinations;

const owner = (tenantId: string): Actor => systemActor(tenantId, 'test', traceId);
const holding = (tenantId: string, ...permissions: Permission[]): Actor => ({
  ...owner(tenantId),
  permissions: new Set(permissions),
});

const webhook = (over: object = {}) => ({
  name: 'Pager',
  url: receiver.url,
  severities: ['HIGH'],
  headers: [{ name: 'Authorization', value: 'Bearer one' }],
  secret: 'first secret, long enough',
  ...over,
});

async function setUp(over: object = {}) {
  const actor = owner(await createTenant(database));
  return { actor, destination: await destinations.createWebhook(actor, webhook(over)) };
}

test('a destination shows its settings and no secret, to its creator as well', async () => {
  const { actor, destination } = await setUp({ logTypes: ['AWS.CloudTrail'], alertTypes: ['RULE'] });
  const [listed] = await destinations.list(actor, {});
  expect(listed).toEqual(destination);
  expect(await destinations.get(actor, { id: destination.id })).toEqual(destination);
  expect(destination).toMatchObject({
    name: 'Pager',
    severities: ['HIGH'],
    alertTypes: ['RULE'],
    logTypes: ['AWS.CloudTrail'],
    endpoint: new URL(receiver.url).origin,
    headerNames: ['Authorization'],
    hasSecret: true,
  });
  expect(JSON.stringify(destination)).not.toMatch(/Bearer one|first secret|secret-path/);
});

test('an update keeps what is not given: URL, header values and signing secret', async () => {
  const { actor, destination } = await setUp();
  await destinations.updateWebhook(actor, {
    id: destination.id,
    name: 'Renamed',
    severities: ['LOW'],
    headers: [{ name: 'authorization' }, { name: 'X-New', value: 'new' }],
  });
  const before = receiver.messages.length;
  expect(await destinations.sendTest(actor, { id: destination.id })).toMatchObject({ success: true, statusCode: 200 });
  expect(receiver.messages[before]?.headers).toMatchObject({
    authorization: 'Bearer one',
    'x-new': 'new',
    'x-margay-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/),
  });
  const removed = {
    id: destination.id,
    name: 'Renamed',
    severities: [],
    headers: [],
    removeSecret: true,
  };
  expect(await destinations.updateWebhook(actor, removed)).toMatchObject({ headerNames: [], hasSecret: false });
});

test('stored secrets do not move to another host', async () => {
  const { actor, destination } = await setUp();
  const moved = { id: destination.id, name: 'Pager', severities: [], url: 'https://elsewhere.example.com/' };
  await expect(destinations.updateWebhook(actor, moved)).rejects.toMatchObject({ field: 'secret' });
  const signed = { ...moved, secret: 'second secret, long enough' };
  await expect(destinations.updateWebhook(actor, signed)).rejects.toMatchObject({ field: 'headers' });
  const named = { ...signed, headers: [{ name: 'Authorization' }] };
  await expect(destinations.updateWebhook(actor, named)).rejects.toMatchObject({ field: 'headers' });
  const complete = { ...signed, headers: [{ name: 'Authorization', value: 'Bearer two' }] };
  expect(await destinations.updateWebhook(actor, complete)).toMatchObject({
    endpoint: 'https://elsewhere.example.com',
  });
});

test.each([
  [{ url: 'http://example.com/' }, 'url'],
  [{ url: 'https://127.0.0.1/' }, 'url'],
  [{ url: 'https://2130706433/' }, 'url'],
  [{ url: 'https://[::ffff:10.0.0.1]/' }, 'url'],
  [{ url: 'https://169.254.169.254/latest/meta-data' }, 'url'],
  [{ url: 'https://user:password@example.com/' }, 'url'],
  [{ url: 'javascript:alert(1)' }, 'url'],
  [{ name: ' ' }, 'name'],
  [{ name: '<b>' }, 'name'],
  [{ severities: ['SEVERE'] }, 'severities.0'],
  [{ headers: [{ name: 'Host', value: 'x' }] }, 'headers.0.name'],
  [{ headers: [{ name: 'X-Margay-Signature', value: 'x' }] }, 'headers.0.name'],
  [{ headers: [{ name: 'X-A', value: 'a\r\nX-B: b' }] }, 'headers.0.value'],
  [
    {
      headers: [
        { name: 'X-A', value: 'a' },
        { name: 'x-a', value: 'b' },
      ],
    },
    'headers',
  ],
  [{ headers: [{ name: 'X-A' }] }, 'headers'],
  [{ secret: 'short' }, 'secret'],
])('%o is refused by the name of its field', async (over, field) => {
  const actor = owner(await createTenant(database));
  const input = { ...webhook(), url: 'https://example.com/', ...over };
  await expect(strict.createWebhook(actor, input)).rejects.toMatchObject({ code: 'bad_input', field });
});

test('a name is taken once per tenant, and free again after deletion', async () => {
  const { actor, destination } = await setUp();
  await expect(destinations.createWebhook(actor, webhook({ name: 'pager' }))).rejects.toMatchObject({
    code: 'conflict',
    field: 'name',
  });
  await destinations.delete(actor, { id: destination.id });
  await destinations.createWebhook(actor, webhook());
  await setUp();
});

test('a test alert goes out once, belongs to no alert, and is an answer also when it is refused', async () => {
  const { actor, destination } = await setUp();
  status = 403;
  const before = receiver.messages.length;
  expect(await destinations.sendTest(actor, { id: destination.id })).toMatchObject({
    destinationId: destination.id,
    success: false,
    statusCode: 403,
  });
  status = 200;
  expect(receiver.messages).toHaveLength(before + 1);
  expect(JSON.parse(receiver.messages.at(-1)?.body ?? '')).toMatchObject({ alertId: 'Test.Alert', severity: 'INFO' });
  const page = await alerts.list(actor, { createdAtAfter: new Date(0), createdAtBefore: new Date('2100-01-01') });
  expect(page.alerts).toEqual([]);
});

test('trouble with a destination ends when a test alert gets through', async () => {
  const { actor, destination } = await setUp();
  status = 403;
  await apply(actor.tenantId, [newMatch()]);
  const [job] = await takeJobs(database, actor.tenantId);
  await deliverer.deliver(actor.tenantId, job?.payload['deliveryId'] ?? '');
  status = 200;
  const open = async () => (await systemErrors.list(actor, { isResolved: false })).systemErrors;
  expect(await open()).toMatchObject([{ type: 'ALERT_DELIVERY', subjectId: destination.id, subjectName: 'Pager' }]);
  await destinations.sendTest(actor, { id: destination.id });
  expect(await open()).toEqual([]);
});

test('another tenant, a missing permission and the audit log', async () => {
  const { actor, destination } = await setUp();
  const stranger = owner(await createTenant(database));
  const { id } = destination;
  const update = { id, name: 'Mine', severities: [] };
  await Promise.all(
    [
      destinations.get(stranger, { id }),
      destinations.updateWebhook(stranger, update),
      destinations.delete(stranger, { id }),
      destinations.sendTest(stranger, { id }),
    ].map((foreign) =>
      expect(foreign).rejects.toMatchObject({
        code: 'not_found',
        message: `There is no destination with the id "${id}".`,
      }),
    ),
  );
  expect(await destinations.list(stranger, {})).toEqual([]);
  const reader = holding(actor.tenantId, 'DestinationRead');
  const nobody = holding(actor.tenantId, 'AlertRead');
  await Promise.all(
    [
      destinations.list(nobody, {}),
      destinations.get(nobody, { id }),
      destinations.createWebhook(reader, webhook({ name: 'Other' })),
      destinations.updateWebhook(reader, update),
      destinations.delete(reader, { id }),
      destinations.sendTest(reader, { id }),
    ].map((refused) => expect(refused).rejects.toMatchObject({ code: 'forbidden' })),
  );
  await destinations.updateWebhook(actor, update);
  await destinations.sendTest(actor, { id });
  await destinations.delete(actor, { id });
  const { events } = await createAuditService({ database }).list(actor, {});
  expect(events.map(({ action }) => action)).toEqual([
    'DELETE_DESTINATION',
    'SEND_TEST_ALERT',
    'UPDATE_DESTINATION',
    'CREATE_DESTINATION',
  ]);
  expect(JSON.stringify(events)).not.toMatch(/Bearer one|first secret|secret-path/);
});
