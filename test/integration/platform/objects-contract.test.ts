import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isTransient } from '#platform/errors';
import { createLocalObjectStore, createS3ObjectStore, type ObjectStore, tenantKey } from '#platform/objects';
import { hasS3Server, startTestS3 } from '../../../scripts/services/s3.ts';

if (!hasS3Server) process.stdout.write('skipped: tests of S3 need scripts/services/install-s3.sh\n');

const folder = await mkdtemp(path.join(tmpdir(), 'margay-objects-'));
const server = hasS3Server ? await startTestS3() : undefined;
const s3Address = {
  bucket: server?.bucket ?? '',
  region: 'us-east-1',
  endpoint: server?.endpoint,
  isPathStyle: true,
  credentials: server?.credentials,
};
const stores: readonly (readonly [string, () => ObjectStore])[] = [
  ['local', () => createLocalObjectStore(folder)],
  ...(server === undefined ? [] : [['S3', () => createS3ObjectStore(s3Address)] as const]),
];
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(stores)('%s', (_name, open) => {
  const objects = open();
  const tenant = randomUUID();
  const key = (...parts: readonly string[]): string => tenantKey(tenant, ...parts);

  test('bytes come back as they were put, empty and large ones too', async () => {
    const large = Buffer.alloc(20_000_000, 'margay');
    for (const bytes of [Buffer.alloc(0), Buffer.from([0, 255, 10, 13]), large]) {
      await objects.put(key('raw', 'bytes'), bytes);
      expect((await objects.get(key('raw', 'bytes'))).equals(bytes)).toBe(true);
    }
  });

  test('a put replaces; what is deleted is not found, and deleting it again is no error', async () => {
    await objects.put(key('raw', '1'), Buffer.from('old'));
    await objects.put(key('raw', '1'), Buffer.from('new'));
    expect((await objects.get(key('raw', '1'))).toString()).toBe('new');
    await objects.delete(key('raw', '1'));
    await objects.delete(key('raw', '1'));
    await expect(objects.get(key('raw', '1'))).rejects.toMatchObject({ code: 'not_found', retryable: false });
  });

  test('of many writers of a new key exactly one wins, and its bytes stay', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
    const won = await Promise.all(texts.map((text) => objects.putNew(key('results', '1'), Buffer.from(text))));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await objects.get(key('results', '1'))).toString()).toBe(texts[won.indexOf(true)]);
    expect(await objects.putNew(key('results', '1'), Buffer.from('late'))).toBe(false);
  });

  test('keys are listed in order, by prefix, in pages without gaps', async () => {
    const names = ['a', 'a-1', 'a.txt', 'b', 'c'].flatMap((name) => [key('list', name), key('list', `${name}x`, 'y')]);
    for (const name of [...names, key('listed', 'not')]) await objects.put(name, Buffer.from('x'));
    const sorted = names.toSorted();
    expect(await objects.list(`${key('list')}/`)).toEqual(sorted);
    expect(await objects.list(key('list', 'a-'))).toEqual(sorted.filter((name) => name.startsWith(key('list', 'a-'))));
    const paged: string[] = [];
    for (;;) {
      const last = paged.at(-1);
      const options = last === undefined ? { limit: 3 } : { limit: 3, startAfter: last };
      const page = await objects.list(`${key('list')}/`, options);
      paged.push(...page);
      if (page.length < 3) break;
    }
    expect(paged).toEqual(sorted);
    expect(await objects.list(`${key('nothing')}/`)).toEqual([]);
  });

  test('a key that climbs is refused', async () => {
    for (const bad of ['', 'tenants/../x', '../x', 'a//b', '/a'])
      await expect(objects.put(bad, Buffer.from('x')), bad).rejects.toThrow('Not a valid object key');
  });
});

test('the local store leaves nothing behind but the objects', async () => {
  const objects = createLocalObjectStore(folder);
  const texts = Array.from({ length: 5 }, (_, index) => `writer ${index}`);
  await Promise.all(texts.map((text) => objects.putNew('tenants/z/results/1.json', Buffer.from(text))));
  expect(await readdir(path.join(folder, 'tenants/z/results'))).toEqual(['1.json']);
});

describe.skipIf(server === undefined)('an S3 store', () => {
  test('that is away is a passing trouble, and works again when the server is back', async () => {
    const objects = createS3ObjectStore(s3Address);
    const key = tenantKey(randomUUID(), 'raw', '1');
    await objects.put(key, Buffer.from('before'));
    await server?.kill();
    const error: unknown = await objects.get(key).catch((reason: unknown) => reason);
    expect(isTransient(error)).toBe(true);
    expect(error).toMatchObject({ code: 'unavailable', retryAfterSeconds: 5 });
    await server?.start();
    await expect.poll(async () => (await objects.get(key)).toString(), { timeout: 30_000 }).toBe('before');
  });

  test('says what to mend: a missing bucket, wrong credentials', async () => {
    const nowhere = createS3ObjectStore({ ...s3Address, bucket: 'no-such-bucket' });
    await expect(nowhere.put('tenants/a/raw/1', Buffer.from('x'))).rejects.toThrow('Create it, or correct S3_BUCKET');
    await expect(nowhere.get('tenants/a/raw/1')).rejects.toMatchObject({ code: 'unavailable' });
    const wrong = { accessKeyId: server?.credentials.accessKeyId ?? '', secretAccessKey: 'wrong' };
    const stranger = createS3ObjectStore({ ...s3Address, credentials: wrong });
    await expect(stranger.list('tenants/')).rejects.toThrow('Correct MARGAY_S3_SECRET_ACCESS_KEY');
  });
});
