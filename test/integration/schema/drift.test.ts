import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import internals from '@prisma/internals';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../support/postgres.ts';

const { superuserUrl, close } = await createTestDatabase();
const client = new pg.Client({ connectionString: superuserUrl });
await client.connect();
afterAll(async () => {
  await client.end();
  await close();
});

type Column = { readonly table: string; readonly name: string; readonly type: string; readonly nullable: boolean };

const typeNames: Readonly<Record<string, string>> = {
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Boolean: 'boolean',
  Json: 'jsonb',
  Bytes: 'bytea',
};

async function modelColumns(): Promise<readonly Column[]> {
  const folder = path.resolve('prisma');
  const schema = readdirSync(folder).map((name): [string, string] => [
    path.join(folder, name),
    readFileSync(path.join(folder, name), 'utf8'),
  ]);
  const { datamodel } = await internals.getDMMF({ datamodel: schema });
  return datamodel.models.flatMap((model) =>
    model.fields.map((field) => {
      const native = field.nativeType?.[0];
      const base =
        native === 'Uuid'
          ? 'uuid'
          : native === 'Timestamptz'
            ? 'timestamp(3) with time zone'
            : (typeNames[field.type] ?? field.type);
      return {
        table: model.dbName ?? model.name,
        name: field.dbName ?? field.name,
        type: field.isList ? `${base}[]` : base,
        nullable: !field.isRequired && !field.isList,
      };
    }),
  );
}

async function databaseColumns(): Promise<readonly Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'schema_migrations'`,
  );
  return rows;
}

test('the typed models and the migrated database have the same tables and columns', async () => {
  const key = (column: Column) =>
    `${column.table}.${column.name} ${column.type}${column.nullable && !column.type.endsWith('[]') ? ' null' : ''}`;
  const [models, database] = [await modelColumns(), await databaseColumns()];
  expect(models.map(key).toSorted()).toEqual(database.map(key).toSorted());
});

/** Tables of the deployment itself: no tenant may see a row of them. */
const systemTables = new Set(['operator_events', 'request_counts', 'tenant_erasures', 'worker_places']);

test('every table of a tenant is behind forced row-level security with both policies, and nobody may truncate', async () => {
  const { rows } = await client.query<{
    name: string;
    enabled: boolean;
    forced: boolean;
    policies: string[];
    truncate: boolean;
  }>(
    `SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       ARRAY(SELECT polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY polname) AS policies,
       has_table_privilege('margay_app', c.oid, 'TRUNCATE') OR has_table_privilege('margay_system', c.oid, 'TRUNCATE') AS truncate
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'`,
  );
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows.filter(({ name }) => !systemTables.has(name)))
    expect(row).toEqual({
      ...row,
      enabled: true,
      forced: true,
      policies: ['system_rows', 'tenant_rows'],
      truncate: false,
    });
  for (const row of rows.filter(({ name }) => systemTables.has(name)))
    expect(row).toEqual({ ...row, enabled: true, forced: true, policies: ['system_rows'], truncate: false });
});

test('there are no views, and every foreign key has an index that begins with its columns', async () => {
  const views = await client.query(
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')`,
  );
  expect(views.rows).toEqual([]);
  const missing = await client.query(
    `SELECT conrelid::regclass::text AS table, conname FROM pg_constraint f WHERE contype = 'f' AND connamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.conrelid
         AND (SELECT array_agg(k ORDER BY n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u (k, n) WHERE n <= cardinality(f.conkey)) = f.conkey)`,
  );
  expect(missing.rows).toEqual([]);
});

test('the application role is neither superuser nor owner and cannot bypass policies', async () => {
  const { rows } = await client.query(
    `SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'margay_%' ORDER BY rolname`,
  );
  expect(rows.map((row) => row as { rolsuper: boolean; rolbypassrls: boolean })).toSatisfy(
    (roles: { rolsuper: boolean; rolbypassrls: boolean }[]) =>
      roles.every((role) => !role.rolsuper && !role.rolbypassrls),
  );
  const owners = await client.query(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`);
  expect(owners.rows).toEqual([{ tableowner: 'margay_owner' }]);
});
