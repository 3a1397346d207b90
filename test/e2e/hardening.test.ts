import { createHash } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';

/** What a hostile client tries first (the list of graphql-cop), and what browsers are told. */

const deployment = await startTestDeployment({
  environment: { MARGAY_REFUSALS_PER_MINUTE: '60', MARGAY_REQUESTS_PER_MINUTE: '200' },
});
const [tenant, other] = [await deployment.tenant('hard'), await deployment.tenant('other')];
afterAll(() => deployment.stop());

const endpoint = `${deployment.url}/public/graphql`;
const json = { 'content-type': 'application/json', 'x-api-key': tenant.token };
const post = (body: unknown, headers: Record<string, string> = json) =>
  fetch(endpoint, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const codeOf = async (response: Response): Promise<string | undefined> => {
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return errors?.[0]?.extensions.code;
};

test('aliases, directives, depth, batches and circles are refused', async () => {
  const aliases = Array.from({ length: 101 }, (_, index) => `a${index}: __typename`).join(' ');
  expect(await codeOf(await post({ query: `{ ${aliases} }` }))).toBe('GRAPHQL_VALIDATION_FAILED');
  const directives = '@include(if: true) '.repeat(30);
  expect(await codeOf(await post({ query: `{ isSignedIn ${directives} }` }))).toBe('GRAPHQL_VALIDATION_FAILED');
  const fields = '__typename '.repeat(1001);
  expect(await codeOf(await post({ query: `{ ${fields} }` }))).toBe('GRAPHQL_VALIDATION_FAILED');
  const circle =
    '{ __schema { types { fields { type { fields { type { fields { type { fields { type { fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } } } } } } } } } } } } }';
  expect(await codeOf(await post({ query: circle }))).toBe('GRAPHQL_VALIDATION_FAILED');
  expect((await post([{ query: '{ isSignedIn }' }, { query: '{ isSignedIn }' }])).status).toBe(400);
});

test('a query that asks for too much in all is refused, with a way out', async () => {
  const span = 'createdAtAfter: "2000-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z", pageSize: 100';
  const one = `alerts(input: {${span}}) { edges { node { id comments { body } deliveries { outputId } deliveryStates { state } } } }`;
  const many = Array.from({ length: 20 }, (_, index) => `a${index}: ${one}`).join(' ');
  const answer = await post({ query: `{ ${many} }` });
  expect(answer.status).toBe(400);
  const { errors } = (await answer.json()) as { errors: { message: string; extensions: { code: string } }[] };
  expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect(errors[0]?.message).toMatch(/about \d+ fields.*smaller pages/);
  expect((await (await post({ query: `{ ${one} }` })).json()) as object).toEqual({ data: { alerts: { edges: [] } } });
});

test('many faults are told as a few, and names that were nearly right are not given away', async () => {
  const unknown = await (await post({ query: `{ __typename ${'@aa'.repeat(10)} }` })).json();
  expect((unknown as { errors: unknown[] }).errors.length).toBeLessThan(10);
  expect(await (await post({ query: '{ __schema { directive } alertz { id } }' })).text()).not.toContain(
    'Did you mean',
  );
  const variable = await post({
    query: 'query ($input: AlertsInput!) { alerts(input: $input) { edges { node { id } } } }',
    variables: { input: { severites: ['HIGH'] } },
  });
  expect(variable.status).toBe(400);
  const told = await variable.text();
  expect(told).toContain('"BAD_USER_INPUT"');
  expect(told).not.toContain('Did you mean');
});

test('an operation that was sent once with its hash runs by the hash alone; a hash of another text is refused', async () => {
  const query = '{ isSignedIn generalSettings { pantherVersion } }';
  const hash = createHash('sha256').update(query).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
  expect(await codeOf(await post({ extensions }))).toBe('PERSISTED_QUERY_NOT_FOUND');
  expect((await post({ query: '{ isSignedIn }', extensions })).status).toBe(400);
  expect(await codeOf(await post({ query, extensions }))).toBeUndefined();
  expect(await (await post({ extensions })).json()).toMatchObject({ data: { isSignedIn: true } });
  const foreign = { ...json, 'x-api-key': 'margay_nonsense' };
  expect((await post({ extensions }, foreign)).status).toBe(401);
});

test('queries by GET and by a form of another site are refused; errors carry no trace of code', async () => {
  const get = await fetch(`${endpoint}?query={isSignedIn}`, { headers: { 'x-api-key': tenant.token } });
  expect(get.status).toBe(400);
  const form = await post('query=%7BisSignedIn%7D', {
    'content-type': 'application/x-www-form-urlencoded',
    'x-api-key': tenant.token,
  });
  expect(form.status).toBeGreaterThanOrEqual(400);
  const wrong = await post({ query: '{ alert(id: "\' OR 1=1 --") { id } }' });
  const text = await wrong.text();
  expect(text).toContain('is not the id of an alert');
  expect(text).not.toMatch(/stacktrace|node_modules|\.ts:/);
  expect(
    (await post({ query: '{ __schema { queryType { name } } }' }, { 'content-type': 'application/json' })).status,
  ).toBe(401);
});

test('every answer carries the headers that browsers obey', async () => {
  for (const path of ['/healthz', '/roles', '/no-such']) {
    const { headers } = await fetch(`${deployment.url}${path}`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
  const page = await fetch(`${deployment.url}/reference/`);
  expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'");
  expect(await page.text()).not.toMatch(/https?:\/\/(cdn|fonts)/);
});

test('pages of an origin that the tenant allows may read its answers, and no others', async () => {
  const origin = 'https://console.example.com';
  const before = await fetch(endpoint, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  expect(before.headers.get('access-control-allow-origin')).toBeNull();
  const changed = await tenant.ask(
    `mutation { updateGeneralSettings(input: {allowedOrigins: ["${origin}"]}) { generalSettings { allowedOrigins } } }`,
  );
  expect(changed.data).toEqual({ updateGeneralSettings: { generalSettings: { allowedOrigins: [origin] } } });
  const refused = await tenant.ask(
    'mutation { updateGeneralSettings(input: {allowedOrigins: ["https://a.example/path"]}) { generalSettings { allowedOrigins } } }',
  );
  expect(refused.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  // What is known of origins is kept for half a minute.
  await new Promise((resolve) => setTimeout(resolve, 31_000));
  const after = await fetch(endpoint, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  expect([after.status, after.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  const own = await fetch(`${deployment.url}/roles`, { headers: { origin, 'x-api-key': tenant.token } });
  expect(own.headers.get('access-control-allow-origin')).toBe(origin);
  expect(own.headers.get('access-control-allow-credentials')).toBeNull();
  const foreign = await fetch(`${deployment.url}/roles`, { headers: { origin, 'x-api-key': other.token } });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
}, 90_000);

test('a token is held to its limit, and told how much is left; others are not held back', async () => {
  const first = await fetch(`${deployment.url}/roles`, { headers: { 'x-api-key': other.token } });
  expect(first.headers.get('ratelimit-limit')).toBe('200');
  expect(Number(first.headers.get('ratelimit-remaining'))).toBeLessThan(200);
  expect(first.headers.get('ratelimit-policy')).toBe('200;w=60');
  const statuses = new Set<number>();
  let refused: Response | undefined;
  for (let count = 0; count < 500 && refused === undefined; count += 1) {
    const response = await post({ query: '{ isSignedIn }' }, { ...json, 'x-api-key': other.token });
    statuses.add(response.status);
    if (response.status === 429) refused = response;
    else await response.text();
  }
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused && (await codeOf(refused))).toBe('RATE_LIMITED');
  const rest = await fetch(`${deployment.url}/roles`, { headers: { 'x-api-key': other.token } });
  expect([rest.status, await rest.json()]).toEqual([429, { message: expect.stringContaining('requests') }]);
  expect((await fetch(`${deployment.url}/roles`, { headers: { 'x-api-key': tenant.token } })).status).toBe(200);
});

test('who guesses credentials is slowed down, and valid ones go on', async () => {
  let status = 0;
  for (let count = 0; count < 200 && status !== 429; count += 1)
    ({ status } = await fetch(`${deployment.url}/roles`, { headers: { 'x-api-key': 'margay_guess' } }));
  expect(status).toBe(429);
  const signIn = await fetch(`${deployment.url}/auth/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'nobody@example.com', password: 'nothing of that kind' }),
  });
  expect(signIn.status).toBe(429);
  expect((await fetch(`${deployment.url}/roles`, { headers: { 'x-api-key': tenant.token } })).status).toBe(200);
});
