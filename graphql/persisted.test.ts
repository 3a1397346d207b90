import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import type { GraphqlContext } from './context.ts';
import { prepareSubscription } from './live/prepare.ts';
import { createPersistedQueries, operationTexts, readManifest, sha256 } from './persisted.ts';
import { buildSchema } from './schema.ts';

const subscription = 'subscription { newAlerts { id } }';

test('only listed subscriptions run when nothing else may', () => {
  const prepare = (manifest: ReadonlyMap<string, string>) =>
    prepareSubscription(
      buildSchema(),
      { query: subscription },
      {} as GraphqlContext,
      createPersistedQueries(manifest, true).refuseUnlisted,
    );
  const refused = prepare(new Map());
  expect('errors' in refused && refused.errors[0]?.extensions['code']).toBe('OPERATION_NOT_LISTED');
  expect('errors' in prepare(new Map([[sha256(subscription), subscription]]))).toBe(false);
});

test('what clients sent is remembered, the latest thousand and nothing huge', async () => {
  const { cache } = createPersistedQueries(new Map(), false);
  for (let index = 0; index < 1001; index += 1) await cache.set(`apq:${index}`, `{ f${index} }`);
  await cache.set('apq:long', 'x'.repeat(60_000));
  expect(await cache.get('apq:0')).toBeUndefined();
  expect(await cache.get('apq:1000')).toBe('{ f1000 }');
  expect(await cache.get('apq:long')).toBeUndefined();
});

test('an operation is listed with the fragments it needs, and a file must name operations by their hash', () => {
  const document = parse(
    'query A { a { ...F } } query B { b } fragment F on T { x ...G } fragment G on T { y } fragment H on T { z }',
  );
  const [a, b] = operationTexts(document);
  expect(a?.text).toContain('fragment G');
  expect(a?.text).not.toContain('fragment H');
  expect(b).toEqual({ name: 'B', text: 'query B {\n  b\n}' });
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'margay-manifest-')), 'manifest.json');
  writeFileSync(file, JSON.stringify({ operations: [{ id: 'x', body: '{ isSignedIn }' }] }));
  expect(() => readManifest(file)).toThrow('is not the SHA-256');
});
