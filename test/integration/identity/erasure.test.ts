import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOperatorAudit } from '#audit';
import { createTenantErasures, type TenantErasures } from '#identity';
import { createHttpReceiver, createIntake, defaultBodyLimits, defaultIntakeLimits } from '#ingestion';
import { createLake, type LakeLayout } from '#lake';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createJobs } from '#platform/jobs';
import { silentLog } from '#platform/log';
import { createLocalObjectStore, encryptObjects } from '#platform/objects';
import { createObjectKeys, createSecrets, createTenantKeys } from '#platform/secrets';
import { jobDefinitions } from '#jobs';
import { startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { testMasterKeys } from '../../support/secrets.ts';

const { database, url, close } = await createTestDatabase();
const server = await startTestLake();
const root = path.join(server.folder, 'objects');
const plainStore = createLocalObjectStore(root);
const keys = createTenantKeys(testMasterKeys);
/** A process of its own: it remembers nothing of what others know. */
const openObjects = () => encryptObjects(plainStore, createObjectKeys(database, keys));
const objects = openObjects();
const clock = manualClock(new Date('2026-06-30T12:00:00Z'));
const base = { database, objects, clock, ids: systemIds, log: silentLog };
const lakes = (['dedicated', 'pooled'] as const).map((layout: LakeLayout) =>
  createLake({ ...base, client: server.client, layout }),
);
const intake = createIntake({ ...base, limits: defaultIntakeLimits });
const jobs = createJobs({ databaseUrl: url, log: silentLog });
const batchJob = jobDefinitions.find(({ name }) => name === 'ingestion.process-batch') ?? jobDefinitions[0];
afterAll(async () => {
  await intake.close();
  await jobs.close();
  await server.close();
  await close();
});

type Made = Awaited<ReturnType<typeof makeTenant>>;
let [first, second] = [{} as Made, {} as Made];

/** A tenant with something in every store. */
async function makeTenant() {
  const tenantId = await createTenant(database);
  const sourceId = randomUUID();
  await database.withTenant(tenantId, async (tx) => {
    const secret = await createSecrets(keys).encrypt(tx, 'test', 'secret');
    await tx.execute(
      `INSERT INTO log_sources (tenant_id, id, kind, label, log_types, stream_type, auth) VALUES ($1, $2, 'HTTP', 'l', '{}', 'Lines', '{"method": "None"}')`,
      [tenantId, sourceId],
    );
    const roleId = randomUUID();
    await tx.execute("INSERT INTO roles (tenant_id, id, name, permissions) VALUES ($1, $2, 'r', '{}')", [
      tenantId,
      roleId,
    ]);
    await tx.execute(
      "INSERT INTO users (tenant_id, id, email, role_id, password_hash) VALUES ($1, $2, 'a@b.example', $3, $4)",
      [tenantId, randomUUID(), roleId, secret.toString('hex')],
    );
    await tx.execute(
      `INSERT INTO audit_events (tenant_id, sequence, recorded_at, action, result, actor_kind, actor_id, actor_name, trace_id, hash)
       VALUES ($1, 1, now(), 'TEST', 'SUCCEEDED', 'system', 's', 's', 't', '')`,
      [tenantId],
    );
  });
  const { batchId } = await intake.accept({
    tenantId,
    sourceId,
    body: Buffer.from('an event\n'),
    traceId: '1'.repeat(32),
  });
  for (const [index, lake] of lakes.entries()) {
    const row = { p_log_type: 'Custom.T', p_row_id: randomUUID(), p_event_time: clock.now(), p_parse_time: new Date() };
    const rows = {
      family: 'logs',
      logType: `Custom.T${index}`,
      rows: Buffer.from(`${JSON.stringify(row)}\n`),
      count: 1,
    } as const;
    const staged = await lake.stage(tenantId, batchId, [rows]);
    await database.withTenant(tenantId, (tx) => staged.register(tx));
    while ((await lake.loader.round()) === 0);
  }
  if (batchJob !== undefined) await jobs.enqueue(batchJob, { tenantId, batchId }, { delayMs: 3_600_000 });
  const [rawKey = ''] = await plainStore.list(`tenants/${tenantId}/raw/`);
  return { tenantId, slug: `t-${tenantId}`, sourceId, rawKey };
}

async function tablesWithRows(tenantId: string): Promise<readonly string[]> {
  return database.withSystem('the test counts rows of a tenant', async (tx) => {
    const tables = await tx.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await tx.query(`SELECT FROM ${name} WHERE tenant_id = $1 LIMIT 1`, [tenantId]);
      if (rows.length > 0) found.push(name);
    }
    return found;
  });
}

const lakeRows = async ({ tenantId }: Made): Promise<number> => {
  const databases = await server.client.rows<{ name: string }>('SELECT name FROM system.databases');
  const dedicated = `t_${tenantId.replaceAll('-', '')}`;
  const pooled = await server.client.rows<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM pool.logs_custom_t1 WHERE p_tenant_id = '${tenantId}'`,
  );
  return (databases.some(({ name }) => name === dedicated) ? 1 : 0) + (pooled[0]?.n ?? 0);
};

const queued = async ({ tenantId }: Made): Promise<number> => {
  const found = await database.withSystem('the test looks at the queue', async (tx) => {
    await tx.query('SET LOCAL ROLE margay_jobs');
    const tables = await tx.query<{ name: string }>(
      "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE relnamespace = 'bullmq'::regnamespace AND relkind = 'r'",
    );
    let count = 0;
    for (const { name } of tables)
      count += (await tx.query(`SELECT FROM ${name} x WHERE x::text LIKE $1`, [`%${tenantId}%`])).length;
    return count;
  });
  return found;
};

/** An operator's command that dies at the given call of a store, if any. */
function command(dieAt = Infinity): TenantErasures {
  let calls = 0;
  const live = <T>(work: () => Promise<T>): Promise<T> =>
    ++calls >= dieAt ? Promise.reject(new Error('killed')) : work();
  return createTenantErasures({
    database: { ...database, withSystem: (reason, work) => live(() => database.withSystem(reason, work)) },
    audit: createOperatorAudit({ clock }),
    lakeClient: { command: (sql) => live(() => server.client.command(sql)) },
    objects: {
      list: (...args) => live(() => plainStore.list(...args)),
      delete: (key) => live(() => plainStore.delete(key)),
    },
    forgetJobs: (tenantId) => live(() => jobs.forgetTenant(jobDefinitions, tenantId)),
    clock,
  });
}

const operator = { name: 'root@test' };
beforeAll(async () => {
  [first, second] = [await makeTenant(), await makeTenant()];
});

test('both tenants have something in every store', async () => {
  for (const made of [first, second]) {
    expect(await lakeRows(made)).toBe(2);
    expect(await queued(made)).toBeGreaterThan(0);
    expect((await objects.get(made.rawKey)).toString()).toBe('an event\n');
    expect(await tablesWithRows(made.tenantId)).toEqual(
      expect.arrayContaining([
        'audit_events',
        'batches',
        'lake_chunks',
        'lake_tables',
        'log_sources',
        'roles',
        'tenant_keys',
        'users',
      ]),
    );
  }
});

test('once an erasure has begun nothing is taken in, and what is left cannot be read or written', async () => {
  const erasure = await command().begin(operator, first.slug);
  expect(erasure).toMatchObject({ state: 'DELETING', requestedBy: 'root@test' });
  const receiver = createHttpReceiver({ database, secrets: createSecrets(keys), intake, limits: defaultBodyLimits });
  const delivery = { headers: {}, body: Buffer.from('more'), traceId: '1'.repeat(32) };
  await expect(receiver.receive({ ...delivery, sourceId: first.sourceId })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(receiver.receive({ ...delivery, sourceId: second.sourceId })).resolves.toMatchObject({
    isRepetition: false,
  });
  expect(await plainStore.get(first.rawKey)).toBeDefined();
  await expect(openObjects().get(first.rawKey)).rejects.toThrow('no data key');
  await expect(openObjects().put(`tenants/${first.tenantId}/raw/new`, Buffer.from('x'))).rejects.toThrow('no data key');
});

test('killed at every call of a store and started again, the erasure ends, and nothing of the tenant is left', async () => {
  const before = await tablesWithRows(second.tenantId);
  let kills = 0;
  for (let state = 'DELETING'; state !== 'SETTLING';) {
    const killed = command(1 + kills);
    state = await killed.advance(first.tenantId).then(
      (erasure) => erasure.state,
      (error: Error) => error.message,
    );
    expect(['killed', 'SETTLING']).toContain(state);
    kills += 1;
  }
  expect(kills).toBeGreaterThan(8);
  expect(await command().advance(first.tenantId)).toMatchObject({ state: 'SETTLING' });

  // A process that knew the tenant until now leaves an object behind.
  await plainStore.put(`tenants/${first.tenantId}/raw/late`, Buffer.from('late'));
  clock.advance(61_000);
  const erasure = await command().advance(first.tenantId);
  expect(erasure).toMatchObject({ state: 'DONE', slug: first.slug, lakePlaces: [] });
  expect(erasure.deleted['objects']).toBeGreaterThan(0);

  expect(await tablesWithRows(first.tenantId)).toEqual([]);
  expect(await lakeRows(first)).toBe(0);
  expect(await queued(first)).toBe(0);
  expect(await plainStore.list(`tenants/${first.tenantId}/`)).toEqual([]);
  await expect(command().begin(operator, first.slug)).rejects.toMatchObject({ code: 'not_found' });

  expect(await tablesWithRows(second.tenantId)).toEqual(before);
  expect(await lakeRows(second)).toBe(2);
  expect(await queued(second)).toBeGreaterThan(0);
  expect((await openObjects().get(second.rawKey)).toString()).toBe('an event\n');
  for (const file of await readdir(root, { recursive: true, withFileTypes: true }))
    if (file.isFile()) expect((await readFile(path.join(file.parentPath, file.name))).includes('an event')).toBe(false);
});

test('the record of the erasure stays, chained and without content', async () => {
  const rows = await database.withSystem('the test reads the operator events', (tx) =>
    tx.query('SELECT sequence::int, action, operator, parameters FROM operator_events ORDER BY sequence'),
  );
  const parameters = expect.objectContaining({ tenantId: first.tenantId, slug: first.slug });
  expect(rows).toEqual([
    { sequence: 1, action: 'BEGIN_TENANT_ERASURE', operator: 'root@test', parameters },
    { sequence: 2, action: 'FINISH_TENANT_ERASURE', operator: 'root@test', parameters },
  ]);
  expect(await command().listOpen()).toEqual([]);
});
