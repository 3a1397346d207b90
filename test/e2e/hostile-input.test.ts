import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commands } from '#cli';
import { startTestDeployment } from '../support/deployment.ts';

const deployment = await startTestDeployment();
const tenant = await deployment.tenant('hostile');
const folder = mkdtempSync(path.join(tmpdir(), 'margay-cli-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await deployment.stop();
});

const always = { from: new Date('1900-01-01'), to: new Date('2290-01-01') };
const spec = `schema: Custom.Anything
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: kind, type: string, required: true }
  - { name: number, type: bigint }
  - { name: more, type: json }
`;

async function ask(query: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { data, errors } = await tenant.ask(query, { input });
  expect(errors).toBeUndefined();
  return data ?? {};
}

await ask(
  'mutation ($input: CreateOrUpdateSchemaInput!) { createOrUpdateSchema(input: $input) { schema { revision } } }',
  {
    name: 'Custom.Anything',
    spec,
  },
);
const made = await ask(
  'mutation ($input: CreateHttpSourceInput!) { createHttpSource(input: $input) { logSource { integrationId integrationLabel } } }',
  {
    integrationLabel: `'; DROP TABLE batches; -- "\`{}`,
    logTypes: ['Custom.Anything'],
    logStreamType: 'Lines',
    authMethod: 'None',
  },
);
const { logSource } = made['createHttpSource'] as { logSource: { integrationId: string; integrationLabel: string } };

async function send(body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(`${deployment.url}/http/${logSource.integrationId}`, { method: 'POST', body });
  expect(response.status).toBe(202);
  return ((await response.json()) as { batchId: string }).batchId;
}

async function margay(...args: string[]): Promise<{ code: number; lines: readonly string[] }> {
  const lines: string[] = [];
  const environment = { MARGAY_URL: deployment.url, MARGAY_API_TOKEN: tenant.token };
  const command = commands.find(({ name }) => name === args[0]);
  const code = await command?.run(args.slice(1), { environment, say: (line) => lines.push(line) });
  return { code: code ?? -1, lines };
}

async function finished(batchId: string): Promise<Record<string, unknown>> {
  const show = async () =>
    JSON.parse((await margay('batch', 'show', batchId, '--json')).lines.at(-1) ?? '{}') as Record<string, unknown>;
  await expect.poll(async () => (await show())['state'], { timeout: 30_000 }).toBe('DONE');
  return show();
}

const rowsOf = async (kind: string) =>
  (await deployment.lake.listEvents(tenant.tenantId, 'Custom.Anything', always, 1000)).filter(
    (row) => row['kind'] === kind,
  );

test('times from 1970 to 2100, in one batch over many months, are events at those times', async () => {
  const times = Array.from({ length: 131 }, (_, index) => `${1970 + index}-0${1 + (index % 9)}-01T00:00:00Z`);
  const batch = await finished(await send(times.map((at) => `${JSON.stringify({ kind: 'time', at })}\n`).join('')));
  expect(batch['counters']).toMatchObject({ events: 131, classificationFailures: 0 });
  await expect.poll(async () => (await rowsOf('time')).length, { timeout: 20_000 }).toBe(131);
  const years = (await rowsOf('time')).map((row) => new Date(String(row['p_event_time'])).getUTCFullYear());
  expect(new Set(years).size).toBe(131);
});

test('a time that no store can hold is kept with the time of its arrival or its reason', async () => {
  const batch = await finished(
    await send('{"kind":"far","at":"9999-12-31T23:59:59Z"}\n{"kind":"far","at":"0001-01-01T00:00:00Z"}\n'),
  );
  const { events, classificationFailures } = batch['counters'] as Record<string, number>;
  expect((events ?? 0) + (classificationFailures ?? 0)).toBe(2);
  const kept = async () =>
    (await rowsOf('far')).length +
    (await deployment.services.sources.listFailures(tenant.actor, always)).filter((row) =>
      String(row['p_payload']).includes('far'),
    ).length;
  await expect.poll(kept, { timeout: 20_000 }).toBe(2);
});

test('numbers, keys and bytes that break others come through unchanged', async () => {
  const lines = [
    '{"kind":"odd","number":9223372036854775807,"more":{"n":9007199254740993,"__proto__":{"admin":true}}}',
    '{"kind":"first","kind":"odd","more":{"a":1,"a":2}}',
    '{"kind":"odd","number":-9223372036854775808,"more":"\\u0000\\ud800"}',
  ].map((line) => Buffer.from(`${line}\n`));
  const invalid = Buffer.concat([
    Buffer.from('{"kind":"odd","more":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}\n'),
  ]);
  await finished(await send(new Uint8Array(Buffer.concat([...lines, invalid]))));
  await expect.poll(async () => (await rowsOf('odd')).length, { timeout: 20_000 }).toBe(4);
  const rows = (await rowsOf('odd')).map((row) => [String(row['number']), JSON.stringify(row['more'])]);
  const numbers = rows.map(([number]) => number);
  expect(numbers).toContain('9223372036854775807');
  expect(numbers).toContain('-9223372036854775808');
  const texts = rows.map(([, more]) => more).join(' ');
  expect(texts).toContain('9007199254740993');
  expect(texts).toContain('__proto__');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test('a line of 10 MB between two good ones costs neither', async () => {
  const huge = `{"kind":"huge","more":"${'x'.repeat(9_500_000)}"}`;
  const batch = await finished(await send(`{"kind":"beside"}\n${huge}\n{"kind":"beside"}\n`));
  const { events, classificationFailures } = batch['counters'] as Record<string, number>;
  expect((events ?? 0) + (classificationFailures ?? 0)).toBe(3);
  await expect.poll(async () => (await rowsOf('beside')).length, { timeout: 20_000 }).toBe(2);
});

test('names that look like code are names', async () => {
  expect(logSource.integrationLabel).toBe(`'; DROP TABLE batches; -- "\`{}`);
  await finished(await send('{"kind":"named"}\n'));
  await expect
    .poll(async () => (await rowsOf('named'))[0]?.['p_source_label'], { timeout: 20_000 })
    .toBe(logSource.integrationLabel);
  const { errors } = await tenant.ask(
    'mutation ($input: CreateOrUpdateSchemaInput!) { createOrUpdateSchema(input: $input) { schema { name } } }',
    { input: { name: "Custom.X'; --", spec } },
  );
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

test('an alert shows the event a rule failed on, its digits exact', async () => {
  await ask('mutation ($input: SaveDetectionInput!) { saveDetection(input: $input) { id } }', {
    specification:
      'AnalysisType: rule\nRuleID: Test.Fails\nEnabled: true\nFilename: x.py\nLogTypes: [Custom.Anything]\nSeverity: Low\n',
    body: "def rule(event):\n    return event['kind'] == 'wrong' and event['nope']\n",
  });
  await send('{"kind":"wrong","number":9007199254740993}\n');
  const query = `{ alerts(input: {type: DETECTION_ERROR, createdAtAfter: "2000-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z"}) { edges { node { events { edges { node } } } } } }`;
  const text = async () => {
    const response = await fetch(`${deployment.url}/public/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': tenant.token },
      body: JSON.stringify({ query }),
    });
    return response.text();
  };
  await expect.poll(text, { timeout: 40_000 }).toContain('"number":9007199254740993');
});

test('a batch is shown and replayed from the terminal, and mistakes there get one sentence', async () => {
  const batchId = await send('{"unknown":1}\n');
  await finished(batchId);
  const shown = await margay('batch', 'show', batchId);
  expect(shown.code).toBe(0);
  expect(shown.lines.join('\n')).toMatch(/state +done[\s\S]*unclassified +1/);
  const replayed = await margay('batch', 'replay', batchId, '--wait');
  expect(replayed.lines.join('\n')).toMatch(new RegExp(`state +done[\\s\\S]*replay of +${batchId}`));
  await expect(margay('batch', 'show', 'nonsense')).rejects.toThrow('is not the id of a batch');
  await expect(margay('batch', 'burn', batchId)).rejects.toThrow('Usage: margay batch show|replay');
  const nobody = { environment: { MARGAY_URL: deployment.url }, say: () => undefined };
  await expect(commands[0]?.run(['show', batchId], nobody)).rejects.toThrow('MARGAY_API_TOKEN: is not set');
  const stranger = { environment: { MARGAY_URL: deployment.url, MARGAY_API_TOKEN: 'wrong' }, say: () => undefined };
  await expect(commands[0]?.run(['show', batchId], stranger)).rejects.toThrow(/not valid|token/i);
});
