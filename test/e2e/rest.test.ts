import { afterAll, expect, test, vi } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';
import { field, idOf, restAs, results } from '../support/rest.ts';
import { walkSpan } from '../support/walks.ts';

/** Each resource from its making to its end, on exact statuses; every answer is checked against the API document. */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
afterAll(() => deployment.stop());

const own = restAs(deployment.url, owner.token);
const foreign = restAs(deployment.url, stranger.token);

test('tokens: the value appears when made and rotated; self needs no permission', async () => {
  const made = await own('api token#create', { body: { name: 'rest', permissions: ['AlertRead'] } });
  expect(made).toMatchObject({ status: 200, body: { name: 'rest', createdBy: { type: 'api-token' } } });
  const params = { id: idOf(made) };
  expect(field(await own('api token#get', { params }), 'value')).toBeUndefined();
  expect((await foreign('api token#get', { params })).status).toBe(404);
  const body = { name: 'renamed', permissions: ['AlertRead', 'RuleRead'], allowedCIDRBlocks: ['127.0.0.0/8'] };
  expect(await own('api token#update', { params, body })).toMatchObject({ status: 200, body });
  const self = restAs(deployment.url, idOf(made, 'value'));
  expect(await self('api token#get', { params: { id: 'self' } })).toMatchObject({ status: 200, body: { ...params } });
  expect((await self('api token#get', { params })).status).toBe(403);
  const rotated = await self('api token#rotate', { params: { id: 'self' } });
  expect((await self('api token#get', { params: { id: 'self' } })).status).toBe(401);
  expect(idOf(rotated, 'value')).toMatch(/^margay_/);
  expect((await own('api token#rotate', { params })).status).toBe(200);
  expect((await own('api token#create', { body: { name: 'renamed', permissions: ['AlertRead'] } })).status).toBe(400);
  expect(await own('api token#delete', { params })).toMatchObject({ status: 204, body: undefined });
  expect((await own('api token#delete', { params })).status).toBe(404);
});

test('a token cannot make itself mightier by another one', async () => {
  const weak = await own('api token#create', { body: { name: 'weak', permissions: ['OrganizationAPITokenModify'] } });
  const mighty = await own('api token#create', { body: { name: 'mighty', permissions: ['UserModify'] } });
  const ask = restAs(deployment.url, idOf(weak, 'value'));
  expect((await ask('api token#rotate', { params: { id: idOf(mighty) } })).status).toBe(400);
  const body = { name: 'weak', permissions: ['OrganizationAPITokenModify', 'UserModify'] };
  expect((await ask('api token#update', { params: { id: 'self' }, body })).status).toBe(400);
});

test('roles: deleted with 200, refused with 400 while somebody has them', async () => {
  const made = await own('role#create', {
    body: { name: 'Hunters', permissions: ['AlertRead'], logTypeAccessKind: 'DENY', logTypeAccess: ['Okta.SystemLog'] },
  });
  expect(made).toMatchObject({ status: 200, body: { logTypeAccess: ['Okta.SystemLog'] } });
  const params = { id: idOf(made) };
  expect(results(await own('role#list', { query: 'name=Hunters&name-contains=zzz' }))).toHaveLength(1);
  expect(results(await own('role#list', { query: `ids=${params.id},x&sort-dir=` }))).toHaveLength(1);
  expect((await foreign('role#get', { params })).status).toBe(404);
  const body = { name: 'Hunters', permissions: [], logTypeAccessKind: 'ALLOW_ALL' };
  const changed = await own('role#update', { params, body });
  expect(changed).toMatchObject({ status: 200, body: { permissions: [] } });
  expect(field(changed, 'logTypeAccess')).toBeUndefined();
  const user = await own('user#create', {
    body: { email: 'hunter@example.com', givenName: 'H', familyName: 'U', role: { id: params.id } },
  });
  expect((await own('role#delete', { params })).status).toBe(400);
  expect((await own('user#delete', { params: { id: idOf(user) } })).status).toBe(200);
  expect(await own('role#delete', { params })).toMatchObject({
    status: 200,
    contentType: expect.stringMatching(/json/),
  });
});

test('users: pages, filters, and the last administrator stays', async () => {
  const people = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      own('user#create', {
        body: { email: `${name}@people.example`, givenName: name, familyName: 'People', role: { name: 'Analyst' } },
      }),
    ),
  );
  const first = await own('user#list', { query: 'contains=people&limit=2' });
  expect(results(first)).toHaveLength(2);
  const second = await own('user#list', { query: `contains=people&limit=2&cursor=${idOf(first, 'next')}` });
  expect(results(second).map(({ email }) => email)).toEqual(['c@people.example']);
  expect(field(second, 'next')).toBeUndefined();
  expect(results(await own('user#list', { query: 'email=a@people.example&contains=zzz' }))).toHaveLength(1);
  expect((await own('user#list', { query: 'limit=61' })).status).toBe(400);
  const params = { id: idOf(people[0] ?? first) };
  const body = { email: 'a@people.example', givenName: 'A', familyName: 'P', role: { name: 'Analyst', id: 'x' } };
  expect((await own('user#update', { params, body })).status).toBe(400);
  expect((await foreign('user#get', { params })).status).toBe(404);
  expect((await own('user#create', { body: { ...body, role: { name: 'Analyst' } } })).status).toBe(400);
  const admin = results(await own('user#list', { query: `email=${owner.adminEmail}` }))[0];
  expect((await own('user#delete', { params: { id: String(admin?.['id']) } })).status).toBe(400);
});

test('http sources: 201, secrets empty, what was read can be sent back, 204 for what is gone', async () => {
  const body = {
    integrationLabel: 'rest source',
    logTypes: ['Okta.SystemLog', 'GitHub.Audit'],
    logStreamType: 'Auto',
    authMethod: 'SharedSecret',
    authHeaderKey: 'x-secret',
    authSecretValue: 'a secret of some length',
  };
  const made = await own('http source#create', { body });
  expect(made).toMatchObject({ status: 201, body: { ...body, authSecretValue: '' } });
  expect(field(made, 'logStreamTypeOptions')).toBeUndefined();
  const params = { id: idOf(made, 'integrationId') };
  const read = await own('http source#get', { params });
  expect((await own('http source#put', { params, body: read.body })).status).toBe(200);
  const sent = await fetch(`${deployment.url}/http/${params.id}`, {
    method: 'POST',
    headers: { 'x-secret': 'a secret of some length' },
    body: '{}',
  });
  expect(sent.status).toBe(202);
  expect((await own('http source#create', { body })).status).toBe(409);
  expect((await foreign('http source#get', { params })).status).toBe(404);
  expect((await foreign('http source#delete', { params })).status).toBe(204);
  expect((await own('http source#get', { params })).status).toBe(200);
  expect((await own('http source#delete', { params })).status).toBe(204);
  expect((await own('http source#delete', { params })).status).toBe(204);
  const slashes = await fetch(`${deployment.url}//log-sources/http/${params.id}`, {
    headers: { 'x-api-key': owner.token },
  });
  expect(slashes.status).toBe(404);
  expect(await slashes.json()).toMatchObject({ message: expect.stringContaining('log source') });
});

test('text that cannot be stored is refused, wherever it stands', async () => {
  expect((await own('rule#get', { params: { id: 'a\u0000' } })).status).toBe(400);
  expect((await own('rule#list', { query: 'name-contains=%00' })).status).toBe(400);
  expect((await own('role#create', { body: { name: 'a\ud800', permissions: [] } })).status).toBe(400);
});

test('alerts, comments and tags', async () => {
  await owner.send(
    `${JSON.stringify({ '@timestamp': Date.now(), action: 'protected_branch.destroy', actor: 'x', repo: 'x/y' })}\n`,
  );
  const alert = await vi.waitFor(
    async () => {
      const found = results(await own('alert#list', { query: 'event-count-min=1&severity=&cursor=' }))[0];
      if (found === undefined) throw new Error('no alert yet');
      return found;
    },
    { timeout: 60_000, interval: 300 },
  );
  const params = { id: String(alert['id']) };
  expect(alert).toMatchObject({ status: 'OPEN', detection: { type: 'RULE' }, contextTags: [] });
  expect((await foreign('alert#get', { params })).status).toBe(404);
  expect((await foreign('alert#events', { params })).status).toBe(404);
  await vi.waitFor(
    async () => expect(results(await own('alert#events', { params, query: 'limit=10' }))).toHaveLength(1),
    { timeout: 30_000, interval: 300 },
  );
  for (const [query, count] of [
    ['created-after=2025-01', 1],
    ['created-before=2025-01-01', 0],
    ['created-after=1672531200&sort-dir=asc', 1],
    ['sub-type=RULE_ERROR', 0],
    ['type=SYSTEM_ERROR', 0],
    ['name-contains=ZZZ', 0],
  ] as const)
    expect([query, results(await own('alert#list', { query })).length]).toEqual([query, count]);
  for (const query of ['limit=51', 'severity=AWFUL', 'created-after=yesterday', 'cursor=nonsense', 'limit=x'])
    expect([query, (await own('alert#list', { query })).status]).toEqual([query, 400]);

  expect((await own('contexttag#create', { body: { tag: 'phishing' } })).status).toBe(201);
  expect((await own('contexttag#create', { body: { tag: 'phishing' } })).status).toBe(409);
  const tags = { quality: 'USEFUL', contextTags: ['phishing'], status: 'TRIAGED' };
  expect((await own('alert#patch', { params, body: { contextTags: ['unknown'] } })).status).toBe(400);
  expect(await own('alert#patch', { params, body: tags })).toMatchObject({
    status: 200,
    contentType: expect.stringMatching(/json/),
  });
  expect(results(await own('alert#list', { query: 'quality=USEFUL&context-tag=phishing' }))).toHaveLength(1);
  expect((await own('contexttag#update', { params: { tag: 'phishing' }, body: { tag: 'phish' } })).status).toBe(204);
  expect(await own('alert#get', { params })).toMatchObject({ body: { contextTags: ['phish'], quality: 'USEFUL' } });
  expect((await own('contexttag#delete', { params: { tag: 'phish' } })).status).toBe(204);
  expect((await own('contexttag#delete', { params: { tag: 'phish' } })).status).toBe(204);
  const bulk = await own('alert#bulkPatch', { body: { ids: [params.id], status: 'RESOLVED', quality: '' } });
  expect(bulk).toMatchObject({ status: 204, contentType: expect.stringMatching(/json/) });
  expect((await own('alert#bulkPatch', { body: { ids: [params.id, 'f'.repeat(32)], status: 'OPEN' } })).status).toBe(
    404,
  );
  const after = await own('alert#get', { params });
  expect(after).toMatchObject({ body: { status: 'RESOLVED', contextTags: [], updatedBy: { type: 'api-token' } } });
  expect(field(after, 'quality')).toBeUndefined();

  const comment = { alertId: params.id, body: 'seen', format: 'PLAIN_TEXT' };
  expect((await own('comment#create', { body: { ...comment, format: undefined } })).status).toBe(400);
  const made = await own('comment#create', { body: comment });
  expect(made).toMatchObject({ status: 200, body: comment });
  await own('comment#create', { body: { ...comment, body: 'second' } });
  const first = await own('comment#list', { query: `alert-id=${params.id}&limit=1` });
  const second = await own('comment#list', { query: `alert-id=${params.id}&limit=1&cursor=${idOf(first, 'next')}` });
  expect([...results(first), ...results(second)].map(({ body }) => body)).toEqual(['seen', 'second']);
  const place = { id: idOf(made) };
  expect(await own('comment#update', { params: place, body: { ...comment, body: 'changed' } })).toMatchObject({
    status: 200,
    body: { body: 'changed', updatedBy: { type: 'api-token' } },
  });
  expect((await foreign('comment#get', { params: place })).status).toBe(404);
  expect((await foreign('comment#list', { query: `alert-id=${params.id}` })).status).toBe(400);
  expect((await own('comment#list')).status).toBe(400);
});

test('the same under /v1; what is owed says 501; what is not there is JSON with a message', async () => {
  const headers = { 'x-api-key': owner.token };
  expect((await fetch(`${deployment.url}/v1/roles`, { headers })).status).toBe(200);
  expect((await own('gcs source#get', { params: { id: 'x' } })).status).toBe(501);
  const nothing = await fetch(`${deployment.url}/no-such`, { headers });
  expect(nothing.status).toBe(404);
  expect(await nothing.json()).toMatchObject({ message: expect.any(String) });
  const broken = await fetch(`${deployment.url}/roles`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{',
  });
  expect(broken.status).toBe(400);
  const document = await fetch(`${deployment.url}/openapi.json`);
  expect(await document.json()).toMatchObject({ openapi: '3.1.0' });
  const { data } = await owner.ask(`{ alerts(input: {${walkSpan}}) { edges { node { updatedBy { __typename } } } } }`);
  expect(JSON.stringify(data)).toContain('APIToken');
});

test('a result of a query: a file for its tenant, 404 for others, 409 while there is none', async () => {
  const started = await owner.ask(
    'mutation { executeDataLakeQuery(input: {sql: "select seq4() as n from table(generator(rowcount => 3))"}) { id } }',
  );
  const { id } = started.data?.['executeDataLakeQuery'] as { id: string };
  const params = { id };
  await vi.waitFor(async () => expect((await own('data lake query#download', { params })).status).not.toBe(409), {
    timeout: 20_000,
    interval: 100,
  });
  expect(await own('data lake query#download', { params })).toMatchObject({
    status: 200,
    body: 'n\r\n0\r\n1\r\n2\r\n',
    contentType: expect.stringMatching(/^text\/csv/),
  });
  expect(await own('data lake query#download', { params, query: 'format=jsonl' })).toMatchObject({
    body: '{"n":0}\n{"n":1}\n{"n":2}\n',
  });
  expect((await own('data lake query#download', { params, query: 'format=parquet' })).body).toMatch(/^PAR1/);
  expect((await own('data lake query#download', { params, query: 'format=xml' })).status).toBe(400);
  expect((await foreign('data lake query#download', { params })).status).toBe(404);
});
