import { afterAll, expect, test } from 'vitest';
import { migrate } from '#platform/postgres';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, ownerUrl, close } = await createTestDatabase();
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

test('a second start of the migrations applies nothing', async () => {
  expect(await migrate(ownerUrl, 'migrations/postgres')).toEqual([]);
});
