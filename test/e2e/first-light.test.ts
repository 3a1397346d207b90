import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { type AlertsInput, ListAlertsWithEventsDocument } from '../../graphql/generated/operations.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { askTyped } from '../support/typed.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

const deployment = await startTestDeployment();
const [a, b] = [await deployment.tenant('first'), await deployment.tenant('second')];
afterAll(() => deployment.stop());

const always = { from: new Date('2000-01-01'), to: new Date('2100-01-01') };
const span = { createdAtAfter: '2000-01-01T00:00:00Z', createdAtBefore: '2100-01-01T00:00:00Z', pageSize: 100 };
async function alertsOf(tenant: typeof a, more: Partial<AlertsInput> = {}) {
  const { alerts } = await askTyped({ url: deployment.url, token: tenant.token }, ListAlertsWithEventsDocument, {
    input: { ...span, ...more },
  });
  return alerts.edges.map(({ node: { events, ...node } }) => ({ ...node, events: { edges: events?.edges ?? [] } }));
}

const publicRepository = (actor: string) =>
  `${JSON.stringify({ '@timestamp': Date.now(), action: 'repo.access', actor, repo: `${actor}/app`, visibility: 'public', previous_visibility: 'private' })}\n`;

test('an event becomes an alert that is signed and delivered, in its own tenant only', async () => {
  const secret = 'a-secret-of-the-webhook';
  const received: { body: string; signature: string; key: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({
        body,
        signature: String(request.headers['x-margay-signature']),
        key: String(request.headers['idempotency-key']),
      });
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await deployment.services.destinations.createWebhook(a.actor, {
    name: 'hook',
    url: `http://127.0.0.1:${port}/`,
    secret,
    severities: ['CRITICAL'],
  });
  expect((await a.send(publicRepository('mallory'))).status).toBe(202);
  await expect.poll(() => received.length, { timeout: 30_000 }).toBe(1);
  const [message] = received;
  const [, time, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(message?.signature ?? '') ?? [];
  expect(createHmac('sha256', secret).update(`${time}.${message?.body}`).digest('hex')).toBe(digest);
  await expect
    .poll(async () => (await alertsOf(a)).map((alert) => [alert.title, alert.deliveryStates]), { timeout: 10_000 })
    .toEqual([['mallory made mallory/app public', [{ state: 'DELIVERED' }]]]);
  expect(await alertsOf(b)).toEqual([]);
  await expect.poll(async () => (await alertsOf(a))[0]?.events.edges.length, { timeout: 15_000 }).toBe(1);
  receiver.close();
});

test('a rule that hangs and a rule that raises are reported, and the good rule of the same events still alerts', async () => {
  const save = async (id: string, body: string) => {
    const specification = `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: x.py\nLogTypes: [GitHub.Audit]\nSeverity: Low\n`;
    const { errors } = await b.ask('mutation ($input: SaveDetectionInput!) { saveDetection(input: $input) { id } }', {
      input: { specification, body },
    });
    expect(errors).toBeUndefined();
  };
  await save('Test.Raises', 'def rule(event):\n    return event["nope"]\n');
  await save('Test.Hangs', 'def rule(event):\n    while True:\n        pass\n');
  await b.send(publicRepository('eve'));
  await expect.poll(async () => (await alertsOf(b, { type: 'DETECTION_ERROR' })).length, { timeout: 60_000 }).toBe(2);
  expect((await alertsOf(b)).map((alert) => alert.title)).toEqual(['eve made eve/app public']);
  for (const id of ['Test.Raises', 'Test.Hangs'])
    await b.ask('mutation ($input: DeleteDetectionInput!) { deleteDetection(input: $input) { id } }', {
      input: { id },
    });
});

test('a destination that refuses alerts becomes an alert itself, and its attempts are in the log', async () => {
  const refusing = await startReceiver(() => 410);
  const { data } = await b.ask(
    `mutation { createWebhookDestination(input: {name: "refusing", url: "${refusing.url}", severities: [CRITICAL], alertTypes: [RULE]}) { id endpoint } }`,
  );
  const destination = data?.['createWebhookDestination'] as { id: string; endpoint: string };
  expect(refusing.url.startsWith(`${destination.endpoint}/`)).toBe(true);
  await b.send(publicRepository('trudy'));
  const fields = `edges { node { title origin { ... on Detection { id } ... on SystemError { type relatedComponent } } deliveries { outputId success statusCode } } }`;
  const list = async (type: string) => {
    const answer = await b.ask(`query ($input: AlertsInput!) { alerts(input: $input) { ${fields} } }`, {
      input: { ...span, type },
    });
    expect(answer.errors).toBeUndefined();
    return (answer.data?.['alerts'] as { edges: { node: Record<string, unknown> }[] }).edges.map(({ node }) => node);
  };
  await expect
    .poll(() => list('SYSTEM_ERROR'), { timeout: 30_000 })
    .toMatchObject([
      {
        title: 'Alerts are not delivered to "refusing"',
        origin: { type: 'ALERT_DELIVERY', relatedComponent: 'DESTINATION' },
      },
    ]);
  const alert = (await list('ALERT')).find(({ title }) => title === 'trudy made trudy/app public');
  expect(alert).toMatchObject({
    origin: { id: expect.stringContaining('GitHub') },
    deliveries: [{ outputId: destination.id, success: false, statusCode: 410 }],
  });
  await b.ask(`mutation { deleteDestination(input: {id: "${destination.id}"}) { id } }`);
  await refusing.close();
});

describe('requests that are not right', () => {
  test('each gets its own clear answer', async () => {
    const status = async (work: Promise<Response>) => (await work).status;
    expect(await status(a.send('{}', { authorization: 'Bearer wrong' }))).toBe(401);
    expect(await status(fetch(`${deployment.url}/http/${crypto.randomUUID()}`, { method: 'POST', body: '{}' }))).toBe(
      404,
    );
    expect(await status(a.send(''))).toBe(400);
    expect(await status(a.send(new Uint8Array(gzipSync('{"a":1}').subarray(0, 15))))).toBe(400);
    const bomb = await a.send(new Uint8Array(gzipSync(Buffer.alloc(101 * 1024 * 1024))));
    expect([bomb.status, await bomb.text()]).toEqual([413, expect.stringMatching(/100 (MiB|times)/)]);
    const large = await a.send(new Uint8Array(11 * 1024 * 1024));
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('10 MiB')]);
  });

  test('GraphQL names the field, hides other tenants and refuses what is too large', async () => {
    const codeOf = async (tenant: typeof a, query: string) => (await tenant.ask(query)).errors?.[0]?.extensions.code;
    expect(await codeOf(a, '{ alerts(input: {}) { edges { node { id } } } }')).toBe('BAD_USER_INPUT');
    expect(await codeOf(a, '{ nope }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(a, `{ ${Array.from({ length: 31 }, (_, index) => `a${index}: isSignedIn`).join(' ')} }`)).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    );
    const [alert] = await alertsOf(a);
    const missing = await b.ask(`{ alert(id: "${alert?.id}") { id } }`);
    const unknown = await b.ask('{ alert(id: "0123456789abcdef0123456789abcdef") { id } }');
    expect(missing.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(missing.errors?.[0]?.message.replace(alert?.id ?? '', '')).toBe(
      unknown.errors?.[0]?.message.replace('0123456789abcdef0123456789abcdef', ''),
    );
    const response = await fetch(`${deployment.url}/public/graphql?query={isSignedIn}`, {
      headers: { 'x-api-key': a.token },
    });
    expect(response.status).toBe(400);
  });
});

test('what fits no schema is kept with its reason and can be listed', async () => {
  await a.send('this is no log\n{"almost": "json"\n');
  const list = () => deployment.services.sources.listFailures(a.actor, always);
  await expect.poll(async () => (await list()).length, { timeout: 15_000 }).toBe(2);
  expect((await list()).map((row) => row['p_payload']).toSorted()).toEqual(['this is no log', '{"almost": "json"']);
});

test('a record that fitted no schema is an event after a replay with a schema for it, once', async () => {
  const made = await a.ask(
    'mutation { createHttpSource(input: {integrationLabel: "doors", logTypes: ["Nginx.Access"], logStreamType: Lines, authMethod: None}) { logSource { integrationId } } }',
  );
  const { logSource } = made.data?.['createHttpSource'] as { logSource: { integrationId: string } };
  const sent = await fetch(`${deployment.url}/http/${logSource.integrationId}`, {
    method: 'POST',
    body: '{"badge":"7","at":"2026-01-02T03:04:05Z"}\n',
  });
  const { batchId } = (await sent.json()) as { batchId: string };
  const batch = async (id: string) =>
    (await a.ask(`{ batch(id: "${id}") { state counters } }`)).data?.['batch'] as {
      state: string;
      counters: { events: number; classificationFailures: number };
    };
  await expect.poll(async () => (await batch(batchId)).state, { timeout: 15_000 }).toBe('DONE');
  expect((await batch(batchId)).counters).toMatchObject({ events: 0, classificationFailures: 1 });
  const spec =
    'schema: Custom.Door\nfields:\n  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }\n  - { name: badge, type: string, required: true }\n';
  await a.ask(
    'mutation ($input: CreateOrUpdateSchemaInput!) { createOrUpdateSchema(input: $input) { schema { revision } } }',
    { input: { name: 'Custom.Door', spec } },
  );
  await a.ask(
    'mutation ($input: UpdateHttpSourceInput!) { updateHttpSource(input: $input) { logSource { integrationId } } }',
    {
      input: {
        id: logSource.integrationId,
        integrationLabel: 'doors',
        logTypes: ['Nginx.Access', 'Custom.Door'],
        logStreamType: 'Lines',
        authMethod: 'None',
      },
    },
  );
  for (const events of [1, 0]) {
    const replay = await a.ask(`mutation { replayBatch(input: {id: "${batchId}"}) { id } }`);
    const { id } = replay.data?.['replayBatch'] as { id: string };
    await expect.poll(async () => (await batch(id)).state, { timeout: 15_000 }).toBe('DONE');
    expect((await batch(id)).counters.events).toBe(events);
  }
  await expect
    .poll(async () => (await deployment.lake.countEvents(a.tenantId, always))['Custom.Door'], { timeout: 15_000 })
    .toBe(1);
});

test('figures of every queue are there for the operator, and health and readiness answer', async () => {
  const text = await (await fetch(`${deployment.url}/metrics`)).text();
  expect(text).toMatch(new RegExp(`margay_batches\\{tenant="${a.tenantId}",state="DONE"\\} [1-9]`));
  expect((await fetch(`${deployment.url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${deployment.url}/readyz`)).json()).toMatchObject({ status: 'ready' });
});

test('a person signs in with a cookie that scripts cannot read, and works on the internal address', async () => {
  const signIn = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${deployment.url}/auth/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const credentials = { email: a.adminEmail, password: a.adminPassword };
  expect((await signIn(credentials, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await signIn({ ...credentials, password: 'wrong password' })).status).toBe(401);
  const response = await signIn(credentials);
  const cookie = response.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^margay=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
  const ask = async (given: string) => {
    const headers = { 'content-type': 'application/json', cookie: given };
    return (
      await fetch(`${deployment.url}/internal/graphql`, {
        method: 'POST',
        headers,
        body: '{"query":"{ users { email } }"}',
      })
    ).json();
  };
  const session = cookie.split(';')[0] ?? '';
  expect(await ask(session)).toEqual({ data: { users: [{ email: a.adminEmail }] } });
  await fetch(`${deployment.url}/auth/sign-out`, { method: 'POST', headers: { cookie: session } });
  expect(await ask(session)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});

test('a revoked token is refused on the next request', async () => {
  const created = await a.ask(
    'mutation { createAPIToken(input: {name: "short", permissions: [AlertRead]}) { token { id value } } }',
  );
  const made = created.data?.['createAPIToken'] as { token: { id: string; value: string } } | undefined;
  if (made === undefined) throw new Error('no token was made');
  const { token } = made;
  const { value } = token;
  const check = async () =>
    (
      await fetch(`${deployment.url}/public/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': value },
        body: '{"query":"{ isSignedIn }"}',
      })
    ).status;
  expect(await check()).toBe(200);
  await a.ask(`mutation { deleteAPIToken(input: {id: "${token.id}"}) { id } }`);
  expect(await check()).toBe(401);
});

const cloudTrail = path.join(
  process.env['MARGAY_SHARED_DIR'] ?? path.resolve(import.meta.dirname, '../../../shared'),
  'data/cloudtrail/s3',
);
if (!existsSync(cloudTrail)) process.stdout.write(`skipped: real CloudTrail files are not in ${cloudTrail}\n`);

test.skipIf(!existsSync(cloudTrail))(
  'the 55 real CloudTrail files give 2,900 events in the lake, each once',
  async () => {
    const before = (await deployment.lake.countEvents(b.tenantId, always))['AWS.CloudTrail'] ?? 0;
    for (const file of readdirSync(cloudTrail))
      expect((await b.send(new Uint8Array(readFileSync(path.join(cloudTrail, file))))).status).toBe(202);
    const count = async () => ((await deployment.lake.countEvents(b.tenantId, always))['AWS.CloudTrail'] ?? 0) - before;
    await expect.poll(count, { timeout: 60_000, interval: 500 }).toBe(2900);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await count()).toBe(2900);
    const ids = new Set(
      (await deployment.lake.listEvents(b.tenantId, 'AWS.CloudTrail', always, 5000)).map((row) => row['p_row_id']),
    );
    expect(ids.size).toBe(2900);
  },
);
