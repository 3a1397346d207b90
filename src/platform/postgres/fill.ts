import pg from 'pg';
import type { Dump, DumpedTable } from './dump.ts';

type DumpedRows = AsyncIterable<readonly (readonly (string | null)[])[]>;

export type DumpToFill = {
  readonly tables: readonly DumpedTable[];
  readonly sequences: Dump['sequences'];
  readonly rows: (table: DumpedTable) => DumpedRows;
};

type ForeignKey = { readonly table: string; readonly name: string; readonly definition: string };

const id = (name: string): string => pg.escapeIdentifier(name);

async function takeForeignKeys(client: pg.Client): Promise<readonly ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(
    `SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2`,
  );
  for (const { table, name } of rows) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${id(name)}`);
  return rows;
}

/** Values go in as one JSON text; each is read by the input function of its column's type, which wrote it. */
async function insertRows(client: pg.Client, { name, columns }: DumpedTable, rows: DumpedRows): Promise<void> {
  const values = columns.map(({ type }, index) => `(r ->> ${index})::${type}`).join(', ');
  const sql = `INSERT INTO ${id(name)} (${columns.map((column) => id(column.name)).join(', ')}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM jsonb_array_elements($1::jsonb) r`;
  for await (const some of rows) await client.query(sql, [JSON.stringify(some)]);
}

/** Rows that migrations put in are part of the dump as well. */
async function fillTable(client: pg.Client, table: DumpedTable, rows: DumpedRows): Promise<void> {
  await client.query(`ALTER TABLE ${id(table.name)} NO FORCE ROW LEVEL SECURITY; DELETE FROM ${id(table.name)}`);
  await insertRows(client, table, rows);
  await client.query(`ALTER TABLE ${id(table.name)} FORCE ROW LEVEL SECURITY`);
}

/**
 * Fills a migrated database, as its owner, in one transaction: all of the dump or nothing. Foreign keys are made anew at
 * the end, which checks every row. Throws when the database holds a tenant already.
 */
export async function fillDatabase(ownerUrl: string, dump: DumpToFill): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'margay restore' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN; ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY');
    if ((await client.query('SELECT FROM tenants LIMIT 1')).rows.length > 0)
      throw new Error('The database holds tenants already; restore into an empty one.');
    const keys = await takeForeignKeys(client);
    for (const table of dump.tables) await fillTable(client, table, dump.rows(table));
    for (const { table, name, definition } of keys)
      await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${id(name)} ${definition}`);
    for (const { table, column, value } of dump.sequences)
      if (value !== null)
        await client.query('SELECT setval(pg_get_serial_sequence($1, $2), $3)', [`public.${id(table)}`, column, value]);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}
