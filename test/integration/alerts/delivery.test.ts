import { createHmac } from 'node:crypto';
import pg from 'pg';
import { afterAll, expect, test, vi } from 'vitest';
import { systemActor } from '#access';
import { deliverAlertJob, startDeliverySweeper } from '#alerts';
import { silentLog } from '#platform/log';
import { createAlertsRoom, newMatch, takeJobs, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';

const { database, superuserUrl, close } = await createTestDatabase();
const room = createAlertsRoom(database);
const receivers: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await close();
});

const secret = 'a shared secret of some length';
const owner = (tenantId: string) => systemActor(tenantId, 'test', traceId);

async function setUp(answer?: Parameters<typeof startReceiver>[0], over: Readonly<Record<string, unknown>> = {}) {
  const receiver = await startReceiver(answer);
  receivers.push(receiver);
  const tenantId = await createTenant(database);
  const destination = await room.destinations.createWebhook(owner(tenantId), {
    name: 'Receiver',
    url: receiver.url,
    severities: ['HIGH', 'CRITICAL'],
    headers: [{ name: 'X-Team', value: 'blue team' }],
    secret: secret,
    ...over,
  });
  return { receiver, tenantId, destination };
}

async function runJobs(tenantId: string): Promise<number> {
  const jobs = await takeJobs(database, tenantId);
  for (const { job_name: name, payload } of jobs) {
    if (name === deliverAlertJob.name) await room.deliverer.deliver(tenantId, payload['deliveryId'] ?? '');
    else await room.systemErrorAlerts.raise(tenantId, payload['systemErrorId'] ?? '');
  }
  return jobs.length;
}

/** Runs at once what the sweeper puts on the queue now; counts what belongs to the tenant. */
async function sweep(ofTenant: string): Promise<number> {
  let swept = 0;
  const sweeper = startDeliverySweeper({
    database,
    clock: room.clock,
    log: silentLog,
    pollMs: 3_600_000,
    jobs: {
      enqueueAll: async (job, items) => {
        for (const { payload } of items) {
          const { tenantId, deliveryId } = deliverAlertJob.payload.parse(job.payload.parse(payload));
          if (tenantId !== ofTenant) continue;
          swept += 1;
          await room.deliverer.deliver(tenantId, deliveryId);
        }
      },
    },
  });
  await sweeper.sweep();
  await sweeper.stop();
  return swept;
}

const partsOf = async (tenantId: string, alertId: string | null | undefined) => ({
  deliveries: await room.alerts.listDeliveries(owner(tenantId), { alertIds: [alertId] }),
  attempts: await room.alerts.listDeliveryAttempts(owner(tenantId), { alertIds: [alertId] }),
});

test('a new alert reaches its destination at once, signed, with headers, one trace id and its latency', async () => {
  const { receiver, tenantId, destination } = await setUp();
  const [alertId] = await room.apply(tenantId, [newMatch({ context: '{"n":9007199254740993}' })]);
  await room.apply(tenantId, [newMatch()]);
  expect(await runJobs(tenantId)).toBe(1);
  const [message] = receiver.messages;
  expect(receiver.messages).toHaveLength(1);
  expect(message?.body).toContain('"alertContext":{"n":9007199254740993}');
  expect(JSON.parse(message?.body ?? '')).toMatchObject({
    alertId,
    title: 'New Alert: Root logged in',
    link: `https://siem.example.com/console/alerts/${alertId}`,
  });
  const timestamp = String(room.clock.now().getTime() / 1000);
  const signature = createHmac('sha256', secret).update(`${timestamp}.${message?.body}`).digest('hex');
  expect(message?.headers).toMatchObject({
    'content-type': 'application/json',
    accept: 'application/json',
    'x-team': 'blue team',
    'x-margay-signature': `t=${timestamp},v1=${signature}`,
    traceparent: expect.stringContaining(`00-${traceId}-`),
  });
  const { deliveries, attempts } = await partsOf(tenantId, alertId);
  expect(message?.headers['idempotency-key']).toBe(deliveries[0]?.id);
  expect(deliveries).toMatchObject([
    { alertId, destinationId: destination.id, state: 'DELIVERED', attempts: 1, deliveredAt: room.clock.now() },
  ]);
  expect(attempts).toMatchObject([{ attempt: 1, success: true, statusCode: 200, destinationId: destination.id }]);
  expect(room.settled.at(-1)).toEqual({ tenantId, state: 'DELIVERED', attempts: 1, receivedToSettledMs: 1000 });
});

test('a job that comes twice, also at the same time, sends once', async () => {
  const { receiver, tenantId } = await setUp();
  await room.apply(tenantId, [newMatch()]);
  const [job] = await takeJobs(database, tenantId);
  const id = job?.payload['deliveryId'] ?? '';
  await Promise.all(Array.from({ length: 5 }, () => room.deliverer.deliver(tenantId, id)));
  await room.deliverer.deliver(tenantId, id);
  expect(receiver.messages).toHaveLength(1);
});

test('a receiver that is down gets the same message again, later and with the same key', async () => {
  const { receiver, tenantId } = await setUp((_message, count) => (count < 3 ? 503 : 200));
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await runJobs(tenantId);
  expect(await sweep(tenantId)).toBe(0);
  room.clock.advance(33_000);
  expect(await sweep(tenantId)).toBe(1);
  room.clock.advance(33_000);
  expect(await sweep(tenantId)).toBe(0);
  room.clock.advance(33_000);
  expect(await sweep(tenantId)).toBe(1);
  expect(new Set(receiver.messages.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(new Set(receiver.messages.map(({ body }) => body)).size).toBe(1);
  const { deliveries, attempts } = await partsOf(tenantId, alertId);
  expect(deliveries).toMatchObject([{ state: 'DELIVERED', attempts: 3 }]);
  expect(attempts.map(({ statusCode }) => statusCode)).toEqual([503, 503, 200]);
});

test('after eleven attempts the delivery is given up and raises one system error, which becomes an alert', async () => {
  const { receiver, tenantId, destination } = await setUp(() => 500);
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await runJobs(tenantId);
  for (let round = 0; round < 20; round += 1) {
    room.clock.advance(4 * 3_600_000 + 3000);
    await sweep(tenantId);
  }
  expect(receiver.messages).toHaveLength(11);
  expect((await partsOf(tenantId, alertId)).deliveries).toMatchObject([{ state: 'FAILED', nextAttemptAt: null }]);
  const { systemErrors } = await room.systemErrors.list(owner(tenantId), {});
  expect(systemErrors).toMatchObject([{ type: 'ALERT_DELIVERY', subjectId: destination.id, occurrences: 1 }]);
  await runJobs(tenantId);
  const input = { type: 'SYSTEM_ERROR', createdAtAfter: new Date(0), createdAtBefore: room.clock.now() };
  expect((await room.alerts.list(owner(tenantId), input)).alerts).toMatchObject([
    { type: 'SYSTEM_ERROR', severity: 'CRITICAL', title: 'Alerts are not delivered to "Receiver"' },
  ]);
});

test('a refusal is given up at once', async () => {
  const { receiver, tenantId } = await setUp(() => 410);
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await runJobs(tenantId);
  room.clock.advance(100_000);
  expect(await sweep(tenantId)).toBe(0);
  expect(receiver.messages).toHaveLength(1);
  expect((await partsOf(tenantId, alertId)).deliveries).toMatchObject([{ state: 'FAILED' }]);
});

test('a delivery that was given up is sent again on request, with the same key; a delivered one with another', async () => {
  let status = 404;
  const { receiver, tenantId } = await setUp(() => status, { alertTypes: ['RULE'] });
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await runJobs(tenantId);
  const id = (await partsOf(tenantId, alertId)).deliveries[0]?.id;
  status = 200;
  expect(await room.alerts.retryDelivery(owner(tenantId), { id })).toMatchObject({ state: 'PENDING' });
  await runJobs(tenantId);
  await room.alerts.retryDelivery(owner(tenantId), { id });
  await runJobs(tenantId);
  expect(receiver.messages.map(({ headers }) => headers['idempotency-key'])).toEqual([id, id, `${id}-1`]);
  const titles = receiver.messages.map(({ body }) => (JSON.parse(body) as { title: string }).title);
  expect(titles).toEqual(['New Alert: Root logged in', 'New Alert: Root logged in', '[Re-sent]: Root logged in']);
  expect((await partsOf(tenantId, alertId)).deliveries).toMatchObject([{ state: 'DELIVERED', attempts: 3 }]);
});

test('a worker that dies in an attempt leaves it to the sweeper', async () => {
  const { receiver, tenantId } = await setUp();
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await takeJobs(database, tenantId);
  await database.withTenant(tenantId, (tx) =>
    tx.execute('UPDATE alert_deliveries SET attempts = 1, attempts_left = 10, lease_until = $1', [
      new Date(room.clock.now().getTime() + 60_000),
    ]),
  );
  room.clock.advance(30_000);
  expect(await sweep(tenantId)).toBe(0);
  room.clock.advance(31_000);
  expect(await sweep(tenantId)).toBe(1);
  expect(receiver.messages).toHaveLength(1);
  expect((await partsOf(tenantId, alertId)).deliveries).toMatchObject([{ state: 'DELIVERED', attempts: 2 }]);
});

test('a result that comes after somebody else took over is logged and changes nothing', async () => {
  const first = Promise.withResolvers<number>();
  const { receiver, tenantId } = await setUp((_message, count) => (count === 1 ? first.promise : 200));
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  const late = runJobs(tenantId);
  await vi.waitFor(() => expect(receiver.messages).toHaveLength(1));
  room.clock.advance(61_000);
  expect(await sweep(tenantId)).toBe(1);
  first.resolve(404);
  await late;
  const { deliveries, attempts } = await partsOf(tenantId, alertId);
  expect(deliveries).toMatchObject([{ state: 'DELIVERED', attempts: 2 }]);
  expect(attempts.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 404]);
  expect((await room.systemErrors.list(owner(tenantId), {})).systemErrors).toEqual([]);
});

test('a deleted destination gets nothing more', async () => {
  const { receiver, tenantId, destination } = await setUp();
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  await room.destinations.delete(owner(tenantId), { id: destination.id });
  await runJobs(tenantId);
  await room.apply(tenantId, [newMatch({ dedup: 'other' })]);
  await runJobs(tenantId);
  expect(receiver.messages).toEqual([]);
  const { deliveries } = await partsOf(tenantId, alertId);
  expect(deliveries).toMatchObject([{ state: 'FAILED', destinationId: destination.id }]);
  await expect(room.alerts.retryDelivery(owner(tenantId), { id: deliveries[0]?.id })).rejects.toMatchObject({
    code: 'conflict',
  });
});

test('two hundred alerts reach one receiver once each, a few at a time, whatever jobs are lost', async () => {
  let current = 0;
  let highest = 0;
  const { receiver, tenantId } = await setUp(async () => {
    highest = Math.max(highest, (current += 1));
    await new Promise((resolve) => setTimeout(resolve, 2));
    current -= 1;
    return 200;
  });
  await room.apply(
    tenantId,
    Array.from({ length: 200 }, (_, index) => newMatch({ dedup: `key ${index}` })),
  );
  const jobs = await takeJobs(database, tenantId);
  expect(jobs).toHaveLength(200);
  const startedAt = performance.now();
  const run = jobs.slice(0, 30).map(({ payload }) => room.deliverer.deliver(tenantId, payload['deliveryId'] ?? ''));
  await Promise.all(run);
  process.stdout.write(`200 deliveries: ${Math.round(performance.now() - startedAt)} ms, ${highest} at a time\n`);
  expect(new Set(receiver.messages.map(({ headers }) => headers['idempotency-key'])).size).toBe(200);
  expect(receiver.messages).toHaveLength(200);
  expect(highest).toBeLessThanOrEqual(16);
});

test('an address that the operator does not allow is refused when it is called, too', async () => {
  const { receiver, tenantId } = await setUp();
  const strict = createAlertsRoom(database, { allowCidrs: [], startAt: room.clock.now() });
  const [alertId] = await room.apply(tenantId, [newMatch()]);
  const [job] = await takeJobs(database, tenantId);
  await strict.deliverer.deliver(tenantId, job?.payload['deliveryId'] ?? '');
  expect(receiver.messages).toEqual([]);
  const { deliveries, attempts } = await partsOf(tenantId, alertId);
  expect(deliveries).toMatchObject([{ state: 'FAILED' }]);
  expect(attempts[0]?.message).toContain('private or reserved');
});

test('URL, header values and signing secret are nowhere in the database as they are', async () => {
  const { receiver, destination } = await setUp();
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  const { rows } = await superuser.query('SELECT * FROM destinations WHERE id = $1', [destination.id]);
  const audit = await superuser.query('SELECT * FROM audit_events');
  await superuser.end();
  const configuration: unknown = rows[0].configuration;
  const stored = `${JSON.stringify([rows, audit.rows])} ${Buffer.isBuffer(configuration) ? configuration.toString('latin1') : ''}`;
  for (const hidden of [secret, 'blue team', 'secret-path']) expect(stored).not.toContain(hidden);
  expect(stored).toContain(new URL(receiver.url).origin);
});
