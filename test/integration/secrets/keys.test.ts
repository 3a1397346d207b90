import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLocalObjectStore, encryptObjects, tenantKey } from '#platform/objects';
import {
  countKeys,
  createMasterKeys,
  createObjectKeys,
  createSecrets,
  createTenantKeys,
  rewrapKeys,
} from '#platform/secrets';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { sealAsFirstVersion, testMasterKeys } from '../../support/secrets.ts';

const { database, close } = await createTestDatabase();
const folder = await mkdtemp(path.join(tmpdir(), 'margay-keys-'));
const plainObjects = createLocalObjectStore(folder);
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const newKey = () => randomBytes(32).toString('base64');
/** A process that was started with these master keys. */
const start = (current: string, ...previous: readonly string[]) => {
  const masterKeys = createMasterKeys({ current, previous });
  const keys = createTenantKeys(masterKeys);
  return {
    masterKeys,
    secrets: createSecrets(keys),
    objects: encryptObjects(plainObjects, createObjectKeys(database, keys)),
  };
};
const setPlain = (tenantId: string) =>
  database.withSystem('the tenant is older than encryption', (tx) =>
    tx.execute('UPDATE tenants SET has_plain_objects = true WHERE id = $1', [tenantId]),
  );

test('after a rotation the new master key opens everything and the old one nothing', async () => {
  const [first, second] = [newKey(), newKey()];
  const tenantId = await createTenant(database);
  const key = tenantKey(tenantId, 'raw', '1');
  const old = start(first);
  await old.objects.put(key, Buffer.from('an event'));
  const sealed = await database.withTenant(tenantId, (tx) => old.secrets.encrypt(tx, 'test', 'a secret'));

  const both = start(second, first);
  expect((await both.objects.get(key)).toString()).toBe('an event');
  expect(await countKeys(database, both.masterKeys)).toEqual({ total: 1, current: 0, previous: 1, unopened: 0 });
  expect(await rewrapKeys(database, both.masterKeys)).toBe(1);
  expect(await rewrapKeys(database, both.masterKeys)).toBe(0);

  const fresh = start(second);
  expect((await fresh.objects.get(key)).toString()).toBe('an event');
  expect(await database.withTenant(tenantId, (tx) => fresh.secrets.decrypt(tx, 'test', sealed))).toBe('a secret');
  await expect(start(first).objects.get(key)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await countKeys(database, start(first).masterKeys)).toMatchObject({ unopened: 1 });
});

test('a rotation that does not know every key changes none', async () => {
  const [a, b] = [await createTenant(database), await createTenant(database)];
  const [keyOfA, keyOfB, next] = [newKey(), newKey(), newKey()];
  await start(keyOfA).objects.put(tenantKey(a, 'raw', '1'), Buffer.from('a'));
  await start(keyOfB).objects.put(tenantKey(b, 'raw', '1'), Buffer.from('b'));
  await expect(rewrapKeys(database, start(next, keyOfA).masterKeys)).rejects.toThrow('nothing was changed');
  expect((await start(keyOfA).objects.get(tenantKey(a, 'raw', '1'))).toString()).toBe('a');
});

test('a key that the first version wrapped opens, and a rotation names its master key', async () => {
  const tenantId = await createTenant(database);
  const { wrappedKey, secret } = sealAsFirstVersion(tenantId, 'test', 'from before');
  await database.withTenant(tenantId, (tx) =>
    tx.execute('INSERT INTO tenant_keys (tenant_id, wrapped_key) VALUES ($1, $2)', [tenantId, wrappedKey]),
  );
  const secrets = createSecrets(createTenantKeys(testMasterKeys));
  expect(await database.withTenant(tenantId, (tx) => secrets.decrypt(tx, 'test', secret))).toBe('from before');
});

test('objects are unreadable on the disk, and of one tenant nothing opens as another’s', async () => {
  const [a, b] = [await createTenant(database), await createTenant(database)];
  const { objects } = start(newKey());
  const text = 'planted-7f3a'.repeat(100_000);
  await objects.put(tenantKey(a, 'raw', '1'), Buffer.from(text));
  expect(await objects.putNew(tenantKey(a, 'raw', '1'), Buffer.from('other'))).toBe(false);
  expect((await objects.get(tenantKey(a, 'raw', '1'))).toString()).toBe(text);
  expect(await objects.list(`tenants/${a}/`)).toEqual([tenantKey(a, 'raw', '1')]);
  for (const name of await readdir(path.join(folder, 'tenants', a, 'raw')))
    expect((await readFile(path.join(folder, 'tenants', a, 'raw', name))).includes('planted-7f3a')).toBe(false);

  await plainObjects.put(tenantKey(b, 'raw', '1'), await plainObjects.get(tenantKey(a, 'raw', '1')));
  await plainObjects.put(tenantKey(a, 'raw', '2'), await plainObjects.get(tenantKey(a, 'raw', '1')));
  for (const key of [tenantKey(b, 'raw', '1'), tenantKey(a, 'raw', '2')])
    await expect(objects.get(key)).rejects.toMatchObject({ code: 'internal', publicMessage: /damaged or was put/ });
});

test('plain objects are read for tenants from before encryption and refused for all others', async () => {
  const [old, young] = [await createTenant(database), await createTenant(database)];
  await setPlain(old);
  const { objects } = start(newKey());
  for (const tenantId of [old, young]) await plainObjects.put(tenantKey(tenantId, 'raw', '1'), Buffer.from('plain'));
  expect((await objects.get(tenantKey(old, 'raw', '1'))).toString()).toBe('plain');
  await expect(objects.get(tenantKey(young, 'raw', '1'))).rejects.toMatchObject({
    code: 'internal',
    detail: { reason: 'The object is not encrypted.' },
  });
});
