import { afterAll, expect, test } from 'vitest';
import pg from 'pg';
import { silentLog } from '#platform/log';
import { migrate, openDatabase, type Tx } from '#platform/postgres';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, ownerUrl, superuserUrl, url, close } = await createTestDatabase();
afterAll(close);

test('a tenant sees its own row only, by SQL and by typed model', async () => {
  const [a, b] = [await createTenant(database, 'A'), await createTenant(database, 'B')];
  const seen = await database.withTenant(a, async (tx) => ({
    rows: await tx.query<{ id: string }>('SELECT id FROM tenants'),
    models: await tx.db.tenant.findMany(),
    other: await tx.db.tenant.findUnique({ where: { id: b } }),
  }));
  expect(seen.rows).toEqual([{ id: a }]);
  expect(seen.models.map((tenant) => tenant.id)).toEqual([a]);
  expect(seen.other).toBeNull();
});

test('findUnique calls of two tenants in one tick are never joined', async () => {
  const [a, b] = [await createTenant(database), await createTenant(database)];
  const find = (id: string) => database.withTenant(id, (tx) => tx.db.tenant.findUnique({ where: { id } }));
  for (let round = 0; round < 20; round++) {
    const [first, second] = await Promise.all([find(a), find(b)]);
    expect([first?.id, second?.id]).toEqual([a, b]);
  }
});

test('without a tenant the application role sees nothing and may not write', async () => {
  const id = await createTenant(database);
  await expect(
    database.withTenant(id, (tx) => tx.execute("INSERT INTO tenants VALUES (gen_random_uuid(), 'x', 'x')")),
  ).rejects.toThrow(/row-level security/);
});

test('typed models and SQL share one transaction and roll back together', async () => {
  const id = await createTenant(database, 'before');
  const failing = database.withTenant(id, async (tx) => {
    await tx.db.tenant.update({ where: { id }, data: { name: 'by model' } });
    await tx.execute("UPDATE tenants SET slug = 'by-sql'");
    throw new Error('stop');
  });
  await expect(failing).rejects.toThrow('stop');
  const after = await database.withTenant(id, (tx) => tx.query('SELECT name, slug FROM tenants'));
  expect(after).toEqual([{ name: 'before', slug: `t-${id}` }]);
});

test('work that swallows the error of a statement is not taken for done', async () => {
  const id = await createTenant(database, 'kept');
  const careless = database.withTenant(id, async (tx) => {
    await tx.execute("UPDATE tenants SET name = 'lost'");
    await tx.execute('SELECT 1 / 0').catch(() => undefined);
    return 'done';
  });
  await expect(careless).rejects.toThrow(/aborted/);
  const after = await database.withTenant(id, (tx) => tx.query('SELECT name FROM tenants'));
  expect(after).toEqual([{ name: 'kept' }]);
});

test('a server that goes away while a transaction does something else fails that transaction and nothing more', async () => {
  const admin = new pg.Client({ connectionString: superuserUrl });
  await admin.connect();
  const isThere = async (pid: number): Promise<boolean> =>
    (await admin.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rows.length > 0;
  const failing = database.withSystem('the connection is cut in the middle', async (tx) => {
    const pid = (await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid ?? 0;
    await admin.query('SELECT pg_terminate_backend($1)', [pid]);
    await expect.poll(() => isThere(pid)).toBe(false);
    await tx.query('SELECT 1');
  });
  await expect(failing).rejects.toThrow(/connection/i);
  await admin.end();
  await database.ping();
});

test('a second start of the migrations applies nothing', async () => {
  expect(await migrate(ownerUrl, 'migrations/postgres')).toEqual([]);
});

test('a single statement reads what its tenant may see, and cannot write', async () => {
  const [a] = [await createTenant(database, 'A'), await createTenant(database, 'B')];
  const reader = database.readTenant(a);
  const many = await Promise.all(
    Array.from({ length: 50 }, () => reader.query<{ id: string }>('SELECT id FROM tenants')),
  );
  for (const rows of many) expect(rows).toEqual([{ id: a }]);
  const all = await database
    .readSystem('a test counts tenants')
    .query<{ n: number }>('SELECT count(*)::int AS n FROM tenants');
  expect(all[0]?.n).toBeGreaterThan(1);
  await expect(reader.query("UPDATE tenants SET name = 'x' RETURNING id")).rejects.toThrow(/read-only transaction/);
  await expect(reader.query('SELECT no_such_column FROM tenants')).rejects.toThrow(/no_such_column/);
  expect(await reader.query('SELECT id FROM tenants')).toEqual([{ id: a }]);
  expect(() => database.readTenant('x')).toThrow(/tenant id/);
});

test('work whose transaction cannot begin changes nothing, though its first statement is sent along', async () => {
  const id = await createTenant(database, 'before');
  const role = `outsider_${id.slice(0, 8)}`;
  const admin = new pg.Client({ connectionString: superuserUrl });
  await admin.connect();
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'outside'`);
  await admin.query(`GRANT USAGE ON SCHEMA public TO ${role}`);
  await admin.query(`GRANT SELECT, UPDATE ON tenants TO ${role}`);
  const outside = new URL(superuserUrl);
  outside.username = role;
  outside.password = 'outside';
  const outsider = openDatabase({ url: outside.href, connectionsMax: 1, log: silentLog });
  const rename = (tx: Tx) => tx.execute("UPDATE tenants SET name = 'after' WHERE id = $1", [id]);
  await expect(outsider.withSystem('an outsider renames a tenant', rename)).rejects.toThrow(/set role/);
  await outsider.close();
  const { rows } = await admin.query<{ name: string }>('SELECT name FROM tenants WHERE id = $1', [id]);
  await admin.query(`REVOKE ALL ON tenants FROM ${role}`);
  await admin.query(`REVOKE ALL ON SCHEMA public FROM ${role}`);
  await admin.query(`DROP ROLE ${role}`);
  await admin.end();
  expect(rows).toEqual([{ name: 'before' }]);
});

test('single reads of many texts, with errors and changes of tables between them, answer as they should', async () => {
  const [a, b] = [await createTenant(database, 'A'), await createTenant(database, 'B')];
  const admin = new pg.Client({ connectionString: superuserUrl });
  await admin.connect();
  await admin.query(
    'CREATE TABLE changing (n int); GRANT SELECT ON changing TO margay_app; INSERT INTO changing VALUES (1)',
  );
  const one = openDatabase({ url, connectionsMax: 1, log: silentLog });
  const reader = one.readTenant(a);
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 100; index += 1)
      expect(await reader.query(`SELECT id, ${index} AS n, $1::text AS given FROM tenants`, ['x'])).toEqual([
        { id: a, n: index, given: 'x' },
      ]);
    await expect(reader.query('SELECT $1::uuid', ['no uuid'])).rejects.toThrow(/uuid/);
    await expect(reader.query('SELECT 1 / $1::int', [0])).rejects.toThrow(/zero/);
    expect(await one.readTenant(b).query('SELECT id FROM tenants')).toEqual([{ id: b }]);
  }
  expect(await reader.query('SELECT * FROM changing')).toEqual([{ n: 1 }]);
  await admin.query('ALTER TABLE changing ADD COLUMN more text');
  expect(await reader.query('SELECT * FROM changing')).toEqual([{ n: 1, more: null }]);
  await one.withTenant(a, (tx) => tx.execute('DEALLOCATE ALL'));
  expect(await reader.query('SELECT id FROM tenants')).toEqual([{ id: a }]);
  const [left] = await one.withTenant(a, (tx) =>
    tx.query<{ n: number }>('SELECT count(*)::int AS n FROM pg_prepared_statements'),
  );
  expect(left?.n).toBeLessThanOrEqual(66);
  const scopes = await one.withTenant(a, (tx) =>
    tx.query(
      "SELECT current_user AS who, current_setting('transaction_read_only') AS reads, current_setting('app.tenant') AS tenant",
    ),
  );
  expect(scopes).toEqual([{ who: 'margay_app', reads: 'off', tenant: a }]);
  await one.close();
  await admin.query('DROP TABLE changing');
  await admin.end();
});
