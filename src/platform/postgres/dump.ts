import pg from 'pg';
import type { Tx } from './database.ts';

type DumpedColumn = { readonly name: string; readonly type: string };
export type DumpedTable = { readonly name: string; readonly columns: readonly DumpedColumn[] };

/** One moment of the database, read table by table for as long as it takes. */
export type Dump = {
  readonly tables: readonly DumpedTable[];
  /** Identity sequences, as they stood. */
  readonly sequences: readonly { readonly table: string; readonly column: string; readonly value: string | null }[];
  /** Rows as texts in the order of the columns, some at a time. */
  rows(table: DumpedTable): AsyncGenerator<readonly (readonly (string | null)[])[]>;
  /** Reads of the same moment. */
  readonly tx: Pick<Tx, 'query'>;
  close(): Promise<void>;
};

const rowsPerFetch = 500;
const ledgerTable = 'schema_migrations';

async function listTables(client: pg.Client): Promise<readonly DumpedTable[]> {
  const { rows } = await client.query<{ name: string; columns: DumpedColumn[]; readable: boolean }>(
    `SELECT c.relname AS name, has_table_privilege(c.oid, 'SELECT') AS readable,
       json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> $1
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY c.oid, c.relname ORDER BY c.relname`,
    [ledgerTable],
  );
  const hidden = rows.find((row) => !row.readable);
  if (hidden !== undefined) throw new Error(`The table "${hidden.name}" cannot be read for a backup.`);
  return rows.map(({ name, columns }) => ({ name, columns }));
}

async function listSequences(client: pg.Client): Promise<Dump['sequences']> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(
    `SELECT c.relname AS table, a.attname AS column, pg_get_serial_sequence(c.oid::regclass::text, a.attname) AS sequence
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND a.attidentity <> '' ORDER BY 1, 2`,
  );
  const found = [];
  for (const { table, column } of rows) {
    const id = pg.escapeIdentifier(column);
    const { rows: values } = await client.query<{ value: string | null }>(
      `SELECT max(${id})::text AS value FROM ${pg.escapeIdentifier(table)}`,
    );
    found.push({ table, column, value: values[0]?.value ?? null });
  }
  return found;
}

async function* readRows(client: pg.Client, table: DumpedTable): ReturnType<Dump['rows']> {
  const list = table.columns.map(({ name }) => `${pg.escapeIdentifier(name)}::text`).join(', ');
  await client.query(`DECLARE dumped NO SCROLL CURSOR FOR SELECT ${list} FROM ${pg.escapeIdentifier(table.name)}`);
  for (;;) {
    const { rows } = await client.query<(string | null)[]>({
      text: `FETCH ${rowsPerFetch} FROM dumped`,
      rowMode: 'array',
    });
    if (rows.length === 0) break;
    yield rows;
  }
  await client.query('CLOSE dumped');
}

/** Takes the moment: everything committed before this returns and nothing after it is in the dump. */
export async function openDump(databaseUrl: string): Promise<Dump> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'margay backup' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE margay_system`);
    return {
      tables: await listTables(client),
      sequences: await listSequences(client),
      rows: (table) => readRows(client, table),
      tx: { query: async (sql, values) => (await client.query(sql, [...(values ?? [])])).rows },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}
