import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { buildBundle, createSandboxPool, createTenantSnapshots } from '#detections';
import { hashId } from '#platform/ids';
import { createLocalObjectStore } from '#platform/objects';
import type { SandboxContent } from '../../../src/detections/sandbox/sandbox-contract.ts';
import { openWalls } from '../../support/sandboxes.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-snapshots-'));
await chmod(folder, 0o755);
const objects = createLocalObjectStore(folder);
const surroundings = await openWalls();
// Every run starts processes, and on a machine with other work that takes long.
vi.setConfig({ testTimeout: 240_000 });
const snapshots = createTenantSnapshots({ objects, bundle: surroundings.bundle });
type PoolOptions = Partial<Parameters<typeof createSandboxPool>[0]>;
const pools: ReturnType<typeof createSandboxPool>[] = [];
const openPool = (options: PoolOptions = {}) => {
  const pool = createSandboxPool({ ...surroundings, snapshots, ...options });
  pools.push(pool);
  return pool;
};
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Says in its title what it drew when it was loaded, and draws again. */
const drawing =
  'import random\nloaded = random.random()\ndef rule(event):\n    return True\ndef title(event):\n    return f"{loaded} {random.random()}"\n';
const content = (body: string): SandboxContent => ({
  revision: hashId(body),
  globals: [],
  dataModels: [],
  rules: [{ id: 'R', body, logTypes: ['T'], severity: 'LOW' }],
});
const records = Buffer.from('{"a":1}\n');
type Pool = ReturnType<typeof openPool>;
const run = async (pool: Pool, tenantId: string, body = drawing) => {
  const { matches, errors } = await pool.evaluate({ tenantId, content: content(body), logType: 'T', records });
  expect(errors).toEqual([]);
  const [loaded, drawn] = (matches[0]?.title ?? '').split(' ');
  return { loaded, drawn };
};
const storedKeys = (tenantId: string) => objects.list(`tenants/${tenantId}/sandbox/`);
const storedKey = async (tenantId: string, count = 1): Promise<string> =>
  vi.waitFor(
    async () => {
      const keys = await storedKeys(tenantId);
      expect(keys).toHaveLength(count);
      return keys[count - 1] ?? '';
    },
    { timeout: 60_000 },
  );

test('a process goes on from the snapshot of its tenant’s content, with randomness of its own', async () => {
  const first = openPool();
  const before = await run(first, 'a');
  await storedKey('a');
  await first.close();
  const after = await run(openPool(), 'a');
  expect(after.loaded).toBe(before.loaded);
  expect(after.drawn).not.toBe(before.drawn);
  expect((await run(openPool(), 'b')).loaded).not.toBe(before.loaded);
});

test('no interpreter of an installation starts from nothing', async () => {
  const bundle = await buildBundle(path.join(folder, 'bundle'));
  expect(await readdir(bundle)).toContain('generic.snapshot');
  const pool = openPool({ ...(await openWalls({ bundle })), snapshots: createTenantSnapshots({ objects, bundle }) });
  await Promise.all(['i1', 'i2'].map((tenant) => run(pool, tenant)));
  expect(pool.status()).toMatchObject({ startsCold: 0, startsGeneric: 2 });
});

test('a snapshot laid under the key of another tenant or content is not restored', async () => {
  await run(openPool(), 'c');
  const [key, foreign] = [await storedKey('c'), await objects.get(await storedKey('a'))];
  const own = await run(openPool(), 'a');
  await objects.put(key, foreign);
  expect((await run(openPool(), 'c')).loaded).not.toBe(own.loaded);
});

test('a snapshot that is broken or poisoned costs a load from source, no more', async () => {
  await run(openPool(), 'd');
  const key = await storedKey('d');
  const good = await objects.get(key);
  const revision = content(drawing).revision;
  for (const bad of [Buffer.alloc(0), Buffer.from('nonsense'), good.subarray(0, good.length / 2)]) {
    await objects.put(key, bad);
    expect((await run(openPool(), 'd')).loaded).toBeDefined();
  }
  // Well packed, and no memory of an interpreter in it.
  for (const memory of [Buffer.alloc(100), Buffer.alloc(40_000_000, 7), await scrambled('d', revision)]) {
    await snapshots.save('d', revision, { memory, loadErrors: [], unloadable: [] });
    expect((await run(openPool(), 'd')).loaded).toBeDefined();
  }
});

/** A snapshot whose head is right and whose heap is noise. */
async function scrambled(tenantId: string, revision: string): Promise<Buffer> {
  await run(openPool(), tenantId);
  const found = await vi.waitFor(async () => {
    const stored = await snapshots.find(tenantId, revision);
    expect(stored?.memory.length).toBeGreaterThan(1_000_000);
    return stored;
  }, 60_000);
  const memory = Buffer.from(found?.memory ?? []);
  for (let index = 100_000; index < memory.length; index += 997) memory[index] = index % 251;
  return memory;
}

test('changed content gets a process of its own while the old one drains', async () => {
  const pool = openPool({ drainMs: 200 });
  const changed = `${drawing}# changed\n`;
  const [old, young] = await Promise.all([run(pool, 'e'), run(pool, 'e', changed)]);
  expect(old.loaded).not.toBe(young.loaded);
  await vi.waitFor(() => expect(pool.status().processes).toBe(1), { timeout: 10_000 });
  expect((await run(pool, 'e', changed)).loaded).toBe(young.loaded);
});

test('a third revision leaves the snapshots of the last two', async () => {
  for (const suffix of ['1', '2', '3']) {
    const pool = openPool();
    await run(pool, 'f', `${drawing}# ${suffix}\n`);
    await storedKey('f', suffix === '1' ? 1 : 2);
    await pool.close();
  }
});

test('a budget for one process serves any number of tenants, and idle ones cost none', async () => {
  const pool = openPool({ memoryBytesMax: 1, idleMs: 300 });
  const tenants = ['g1', 'g2', 'g3'];
  await Promise.all(tenants.map((tenant) => run(pool, tenant)));
  expect(pool.status().processes).toBeLessThanOrEqual(1);
  await vi.waitFor(() => expect(pool.status()).toMatchObject({ processes: 0, memoryBytes: 0 }), { timeout: 10_000 });
  const { spare, startsCold, startsGeneric, startsSnapshot, ...ended } = pool.status();
  expect(ended).toMatchObject({ evictions: 2, recycles: 0, idleEnds: 1 });
  expect([startsCold + startsGeneric, startsSnapshot]).toEqual([3, 0]);
  await run(pool, 'g1');
  expect(pool.status()).toMatchObject({ startsSnapshot: 1, evictions: 2 });
  expect(spare).toBeLessThanOrEqual(1);
});

test('an interpreter that has grown too large or worked long enough is replaced', async () => {
  const hoarding = 'hoard = []\ndef rule(event):\n    hoard.append(bytearray(100_000_000))\n    return True\n';
  const large = openPool({ processBytesMax: 200 * 1024 * 1024 });
  await run(large, 'h', hoarding);
  expect(large.status().processes).toBe(process.platform === 'linux' ? 0 : 1);
  const worn = openPool({ recycleAfterChunks: 1 });
  await run(worn, 'i');
  expect(worn.status().processes).toBe(1);
  await run(worn, 'i');
  expect(worn.status()).toMatchObject({ processes: 0, recycles: 1 });
  await run(worn, 'i');
});

test('content that holds on to the bridge to JavaScript still runs', async () => {
  const reaching =
    'import gc, sys\nkept = [item for item in gc.get_objects() if type(item).__name__ == "JsProxy"]\ndef rule(event):\n    return True\n';
  await run(openPool(), 'j', reaching);
});
