import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLocalObjectStore } from '#platform/objects';
import { createIndexMissStore } from './index-miss-store.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-misses-'));
const objects = createLocalObjectStore(folder);
const storeOf = (bundle: string) => createIndexMissStore({ objects, bundle });
const store = storeOf('/bundles/one');
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what is found adds up, and counts for one tenant, content and build', async () => {
  await store.add('a', 'r1', ['Two', 'One']);
  await store.add('a', 'r1', ['One', 'Three']);
  expect(await storeOf('/elsewhere/one').find('a', 'r1')).toEqual(['One', 'Three', 'Two']);
  expect(await store.find('b', 'r1')).toEqual([]);
  expect(await store.find('a', 'r2')).toEqual([]);
  expect(await storeOf('/bundles/two').find('a', 'r1')).toEqual([]);
  expect(await objects.list('tenants/')).toEqual(['tenants/a/sandbox-index/one-r1']);
});

test('a file that is cut short is made anew', async () => {
  await objects.put('tenants/c/sandbox-index/one-r1', Buffer.from('{"ruleIds":["O'));
  expect(await store.find('c', 'r1')).toEqual([]);
  await store.add('c', 'r1', ['One']);
  expect(await store.find('c', 'r1')).toEqual(['One']);
});

test('content that changes all the time leaves a bounded number of files', async () => {
  for (let revision = 0; revision < 30; revision++) await store.add('d', `r${revision}`, ['One']);
  expect(await objects.list('tenants/d/')).toHaveLength(20);
  expect(await store.find('d', 'r29')).toEqual(['One']);
});
