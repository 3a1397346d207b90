import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { print } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { ListAlertsDocument } from '../../graphql/generated/operations.ts';
import { sha256 } from '../../graphql/persisted.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { askTyped } from '../support/typed.ts';
import { walkSpan } from '../support/walks.ts';

/** A deployment that runs the operations of its list, and no others. */

const listed = 'query Settings { generalSettings { pantherVersion } }';
const folder = await mkdtemp(path.join(tmpdir(), 'margay-manifest-'));
const manifest = path.join(folder, 'manifest.json');
await writeFile(manifest, JSON.stringify({ operations: [{ id: sha256(listed), name: 'Settings', body: listed }] }));
const deployment = await startTestDeployment({
  environment: { MARGAY_GRAPHQL_MANIFEST: manifest, MARGAY_GRAPHQL_LISTED_ONLY: 'true' },
});
const tenant = await deployment.tenant('listed');
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(body: object): Promise<{ data?: unknown; code: string | undefined }> {
  const headers = { 'x-api-key': tenant.token, 'content-type': 'application/json' };
  const answer = await fetch(`${deployment.url}/public/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const { data, errors } = (await answer.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
  return { data, code: errors?.[0]?.extensions.code };
}

const byHash = (text: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(text) } } });

test('what is listed runs by its text or its hash alone, also that of our own frontends', async () => {
  const settings = { data: { generalSettings: { pantherVersion: expect.any(String) } } };
  expect(await ask({ query: listed })).toMatchObject(settings);
  expect(await ask(byHash(listed))).toMatchObject(settings);
  const input = { createdAtAfter: '2000-01-01T00:00:00Z', createdAtBefore: '2100-01-01T00:00:00Z' };
  const { alerts } = await askTyped({ url: deployment.url, token: tenant.token }, ListAlertsDocument, { input });
  expect(alerts.edges).toEqual([]);
  const own = await ask({ ...byHash(print(ListAlertsDocument)), variables: { input } });
  expect(own.data).toEqual({ alerts: expect.objectContaining({ edges: [] }) });
});

test('nothing else does: no query, no mutation, no introspection, and no hash that a client brings', async () => {
  for (const query of [
    '{ isSignedIn }',
    '{ __schema { types { name } } }',
    'mutation { rotateAPIToken { token { value } } }',
    `{ alerts(input: {${walkSpan}}) { edges { node { id } } } }`,
  ]) {
    expect([query, (await ask({ query })).code]).toEqual([query, 'OPERATION_NOT_LISTED']);
    expect([query, (await ask({ query, ...byHash(query) })).code]).toEqual([query, 'OPERATION_NOT_LISTED']);
    expect([query, (await ask(byHash(query))).code]).toEqual([query, 'PERSISTED_QUERY_NOT_FOUND']);
  }
  expect((await ask({ query: '{ isSignedIn }', ...byHash(listed) })).data).toBeUndefined();
});
