import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { LogTypeAccess } from '#access';
import {
  createLake,
  createServerQueryEngine,
  type LakeColumn,
  type LakeFamily,
  type LakeLayout,
  listTables,
  type QueryEngine,
} from '#lake';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import {
  buildCatalogue,
  compileSql,
  type DialectName,
  defaultLimits,
  type LogTypeSchema,
  engineSettings,
  printQuery,
  resultColumns,
  rowDecoder,
} from '#search';
import type { startTestLake } from './lake.ts';

/** The moment all queries of these tests mean by "now". */
export const testNow = new Date('2026-06-15T12:00:00Z');

type Row = Readonly<Record<string, unknown>>;

const columnsOf = (schema: LogTypeSchema): readonly LakeColumn[] =>
  schema.fields.map(({ name, type, element }) => ({
    name,
    type,
    ...(element === undefined ? {} : { element: element.type }),
  }));

/** Standard fields of a row; `at` is its event time. */
function standard(logType: string, row: Row, index: number): Row {
  const { at = '2026-06-15T11:50:00Z', ...fields } = row;
  return {
    p_log_type: logType,
    p_row_id: String(index).padStart(32, '0'),
    p_event_time: at,
    p_parse_time: at,
    p_source_id: 'source',
    p_source_label: 'label',
    ...fields,
  };
}

/** Rows of tenants in a real lake, and queries over them in users' SQL. */
export function createSearchBed(
  database: Database,
  server: Awaited<ReturnType<typeof startTestLake>>,
  layout: LakeLayout,
) {
  const { client } = server;
  const objects = createLocalObjectStore(path.join(server.folder, `objects-${layout}`));
  const lake = createLake({ database, client, objects, ids: systemIds, log: silentLog, layout });
  const put = async (
    tenantId: string,
    family: LakeFamily,
    logType: string,
    rows: readonly Row[],
    columns?: readonly LakeColumn[],
  ) => {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const staged = await lake.stage(tenantId, randomUUID(), [
      {
        family,
        logType: family === 'logs' ? logType : '',
        rows: Buffer.from(lines),
        count: rows.length,
        ...(columns === undefined ? {} : { columns }),
      },
    ]);
    await database.withTenant(tenantId, (tx) => staged.register(tx));
  };
  return {
    lake,
    /** Puts events into the lake and waits until they are in it. */
    async load(tenantId: string, schema: LogTypeSchema, rows: readonly Row[]) {
      await put(
        tenantId,
        'logs',
        schema.logType,
        rows.map((row, index) => standard(schema.logType, row, index)),
        columnsOf(schema),
      );
      await this.flush();
    },
    /** The same for matches, errors, signals and failures. */
    async loadFamily(tenantId: string, family: Exclude<LakeFamily, 'logs'>, logType: string, rows: readonly Row[]) {
      await put(
        tenantId,
        family,
        logType,
        rows.map((row, index) => standard(logType, row, index)),
      );
      await this.flush();
    },
    async flush() {
      await database.withSystem('tests do not wait between loads', (tx) =>
        tx.execute('UPDATE lake_tables SET last_load_at = NULL'),
      );
      await lake.loader.round();
    },
  };
}

type Bed = {
  readonly database: Database;
  readonly client: Awaited<ReturnType<typeof startTestLake>>['client'];
  /** The lake's own server when absent, which is faster and meets no walls. */
  readonly engine?: QueryEngine;
};

const everything: LogTypeAccess = { kind: 'ALLOW_ALL' };

/** What a caller sees: the tenant's tables, and rows of queries as objects. */
export function createAsker(
  { database, client, engine = createServerQueryEngine(client) }: Bed,
  schemas: readonly LogTypeSchema[],
  dialect: DialectName = 'snowflake',
) {
  const catalogueOf = async (tenantId: string, access: LogTypeAccess) =>
    buildCatalogue({ tables: await database.withTenant(tenantId, (tx) => listTables(tx, tenantId)), schemas, access });
  return async (tenantId: string, sql: string, access: LogTypeAccess = everything): Promise<readonly Row[]> => {
    const { query } = await compileSql(sql, { catalogue: await catalogueOf(tenantId, access), now: testNow, dialect });
    const printed = printQuery(query, { tenantId, rowsMax: defaultLimits.rowsMax });
    const limits = { ...defaultLimits, timeoutSeconds: 20 };
    const rows: Row[] = [];
    const columns = resultColumns(printed.columns);
    const decode = rowDecoder(columns);
    const options = {
      queryId: randomUUID(),
      settings: engineSettings(limits),
      signal: new AbortController().signal,
      tables: printed.reads,
    };
    for await (const lines of engine.lines(printed.sql, options))
      for (const values of lines.filter((line) => line !== '').map(decode))
        rows.push(Object.fromEntries(columns.map(({ name }, index) => [name, values[index]])));
    return rows;
  };
}
