import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLocalObjectStore } from './local-object-store.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-objects-'));
const objects = createLocalObjectStore(folder);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('of many writers of a new key exactly one wins, and its bytes stay', async () => {
  const key = 'tenants/a/results/1.json';
  const texts = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
  const won = await Promise.all(texts.map((text) => objects.putNew(key, Buffer.from(text))));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect((await objects.get(key)).toString()).toBe(texts[won.indexOf(true)]);
  expect(await readdir(path.join(folder, 'tenants/a/results'))).toEqual(['1.json']);
});

test('a put replaces, and what is deleted is not found', async () => {
  const key = 'tenants/a/raw/1';
  await objects.put(key, Buffer.from('old'));
  await objects.put(key, Buffer.from('new'));
  expect((await objects.get(key)).toString()).toBe('new');
  await objects.delete(key);
  await objects.delete(key);
  await expect(objects.get(key)).rejects.toMatchObject({ code: 'not_found' });
});
