import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LakeColumn, type LakeTable, startEmbeddedLake } from '#lake';
import { createLakeClient, type LakeClient } from '#platform/lake-client';
import { silentLog } from '#platform/log';
import {
  buildCatalogue,
  compileSql,
  defaultLimits,
  describeProblem,
  engineSettings,
  type LogTypeSchema,
  printQuery,
  resultColumns,
  rowDecoder,
  SqlProblem,
} from '#search';
import { managedSchemas, schemaFields } from '#ingestion';
import { createDatabase, createTable, qualified } from '../../../src/lake/ddl.ts';
import { awsSeeds } from './aws-seeds.ts';
import { clusterSeeds } from './cluster-seeds.ts';
import { corpusSchemas } from './corpus-schemas.ts';
import { type CorpusQuery, readCorpus } from './corpus.ts';
import { oktaSeeds } from './okta-seeds.ts';
import { endpointSeeds } from './endpoint-seeds.ts';
import { saasSeeds } from './saas-seeds.ts';
import type { Row, Scenario, Seeds } from './seed.ts';
import { snowflakeSeeds } from './snowflake-seeds.ts';

const seeds: Seeds = { ...awsSeeds, ...endpointSeeds, ...saasSeeds, ...clusterSeeds, ...oktaSeeds, ...snowflakeSeeds };
const tenantId = '01890000-0000-7000-8000-000000000001';
const now = new Date('2026-06-15T12:00:00Z');

export type Report = {
  readonly ran: number;
  readonly correct: number;
  readonly total: number;
  readonly failures: readonly { readonly query: string; readonly reason: string }[];
};

type Field = LogTypeSchema['fields'][number];
const listTypes: Readonly<Record<string, NonNullable<Field['element']>['type']>> = {
  strings: 'string',
  ints: 'bigint',
  objects: 'object',
};

function declared(text: string): Field {
  const [name = '', type = ''] = text.split(':');
  const element = listTypes[type];
  return element === undefined
    ? { name, type: type as Field['type'] }
    : { name, type: 'array', element: { type: element } };
}

function allSchemas(): readonly LogTypeSchema[] {
  const shipped = [...managedSchemas().values()];
  const names = new Set(shipped.map(({ name }) => name));
  const own = Object.entries(corpusSchemas).filter(([logType]) => !names.has(logType));
  return [
    ...shipped.map(({ name, specText }) => ({ logType: name, description: '', fields: schemaFields(specText) })),
    ...own.map(([logType, fields]) => ({ logType, description: '', fields: fields.split(' ').map(declared) })),
  ];
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A row with the fields every event has; `ago` or `at` says when it happened, ten minutes ago when neither does. */
function standard(logType: string, row: Row, index: number): Row {
  const { ago = '10m', at, ...fields } = row as { readonly ago?: string; readonly at?: string };
  const time = at ?? new Date(now.getTime() - Number.parseFloat(ago) * (units[ago.at(-1) ?? ''] ?? 0)).toISOString();
  return {
    p_log_type: logType,
    p_row_id: `row-${index}`,
    p_event_time: time,
    p_parse_time: time,
    p_source_id: '',
    p_source_label: '',
    ...fields,
  };
}

const tableOf = (schema: LogTypeSchema, database: string): LakeTable => ({
  id: tenantId,
  tenantId,
  family: 'logs',
  logType: schema.logType,
  layout: 'dedicated',
  database,
  table: `logs_${schema.logType.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`,
  columns: schema.fields.map(({ name, type, element }): LakeColumn => ({
    name,
    type,
    ...(element === undefined ? {} : { element: element.type }),
  })),
});

/** Lookup tables are not built yet: those that searches join with are read as log types, under the names they have. */
function withLookups(catalogue: ReturnType<typeof buildCatalogue>): ReturnType<typeof buildCatalogue> {
  const logs = catalogue.databases.find(({ name }) => name === 'panther_logs')?.tables ?? [];
  const tables = logs
    .filter(({ name }) => name.startsWith('lookup_'))
    .map((table) => ({ ...table, database: 'panther_lookups', name: table.name.slice('lookup_'.length) }));
  return {
    databases: [
      ...catalogue.databases.filter(({ name }) => name !== 'panther_lookups'),
      { name: 'panther_lookups', description: '', tables },
    ],
  };
}

type Bed = { readonly client: LakeClient; readonly schemas: readonly LogTypeSchema[]; nextDatabase(): string };

async function seeded(bed: Bed, { rows }: Scenario): Promise<readonly LakeTable[]> {
  const database = bed.nextDatabase();
  await bed.client.command(createDatabase(database));
  const tables: LakeTable[] = [];
  for (const [logType, items] of Object.entries(rows)) {
    const schema = bed.schemas.find((known) => known.logType === logType);
    if (schema === undefined) throw new Error(`no schema for ${logType}`);
    const table = tableOf(schema, database);
    await bed.client.command(createTable(table, { engine: 'MergeTree', retentionDays: 3650 }));
    const lines = items.map((row, index) => `${JSON.stringify(standard(logType, row, index))}\n`).join('');
    await bed.client.insert(qualified(table), Buffer.from(lines), `${database}-${logType}`);
    tables.push(table);
  }
  return tables;
}

async function run(bed: Bed, sql: string, tables: readonly LakeTable[]): Promise<readonly Row[]> {
  const catalogue = withLookups(buildCatalogue({ tables, schemas: bed.schemas, access: { kind: 'ALLOW_ALL' } }));
  const { query } = await compileSql(sql, { catalogue, now });
  const printed = printQuery(query, { tenantId, rowsMax: 100_000 });
  const columns = resultColumns(printed.columns);
  const decode = rowDecoder(columns);
  const rows: Row[] = [];
  const options = {
    queryId: crypto.randomUUID(),
    settings: engineSettings(defaultLimits),
    signal: new AbortController().signal,
  };
  for await (const lines of bed.client.lines(printed.sql, options))
    for (const values of lines.filter((line) => line !== '').map(decode))
      rows.push(Object.fromEntries(columns.map(({ name }, index) => [name.toLowerCase(), values[index]])));
  return rows;
}

const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return JSON.stringify(value.map(canonical).toSorted());
  return typeof value === 'number' ? String(Math.round(value * 1e6) / 1e6) : JSON.stringify(value ?? null);
};

const fits = (row: Row, wanted: Row): boolean =>
  Object.entries(wanted).every(([name, value]) => canonical(row[name.toLowerCase()]) === canonical(value));

/** Every expected row is found in a row of its own, and there are no others. */
function difference(rows: readonly Row[], { expect }: Scenario): string | undefined {
  const rest = [...rows];
  for (const wanted of expect) {
    const index = rest.findIndex((row) => fits(row, wanted));
    if (index < 0) return `expected ${JSON.stringify(wanted)}, got ${JSON.stringify(rows).slice(0, 400)}`;
    rest.splice(index, 1);
  }
  return rest.length === 0
    ? undefined
    : `${rest.length} rows too many, such as ${JSON.stringify(rest[0]).slice(0, 300)}`;
}

const reasonOf = (error: unknown, sql: string): string =>
  (error instanceof SqlProblem
    ? describeProblem(error, sql)
    : error instanceof Error
      ? error.message
      : String(error)
  ).slice(0, 400);

async function judge(
  bed: Bed,
  { name, sql }: CorpusQuery,
): Promise<{ readonly ran: boolean; readonly reason?: string }> {
  const scenarios = seeds[name];
  try {
    if (scenarios === undefined) {
      await run(bed, sql, []);
      return { ran: true, reason: 'ran over empty tables; no rows are seeded for it' };
    }
    for (const scenario of scenarios) {
      const reason = difference(await run(bed, sql, await seeded(bed, scenario)), scenario);
      if (reason !== undefined) return { ran: true, reason };
    }
    return { ran: true };
  } catch (error) {
    return { ran: false, reason: reasonOf(error, sql) };
  }
}

/** Runs the searches of a corpus folder on a lake of their own. "Correct" means: the seeded rows that must come back did, the others did not. */
export async function compareQueries({
  folder,
  only,
  say,
}: {
  readonly folder: string;
  readonly only: string | undefined;
  readonly say: (line: string) => void;
}): Promise<Report> {
  const queries = (await readCorpus(folder)).filter(({ name }) => only === undefined || name.includes(only));
  const dataDir = await mkdtemp(path.join(tmpdir(), 'margay-compat-'));
  const secret = crypto.randomUUID();
  const lake = await startEmbeddedLake({
    nodePath: process.execPath,
    dataDir,
    secret,
    memoryBytesMax: 3_000_000_000,
    log: silentLog,
  });
  const client = createLakeClient({ url: lake.url, user: 'margay', password: secret });
  let databases = 0;
  const bed: Bed = { client, schemas: allSchemas(), nextDatabase: () => `c${(databases += 1)}` };
  const failures: { query: string; reason: string }[] = [];
  let ran = 0;
  try {
    for (const query of queries) {
      const outcome = await judge(bed, query);
      if (outcome.ran) ran += 1;
      if (outcome.reason !== undefined) failures.push({ query: query.name, reason: outcome.reason });
      say(`${outcome.reason === undefined ? 'ok    ' : 'FAILED'} ${query.name}`);
    }
  } finally {
    await client.close();
    await lake.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  return { ran, correct: queries.length - failures.length, total: queries.length, failures };
}
