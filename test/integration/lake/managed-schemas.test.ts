import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test, vi } from 'vitest';
import { managedSchemas, schemaFields } from '#ingestion';
import type { LakeTable } from '#lake';
import {
  buildCatalogue,
  compileSql,
  defaultLimits,
  engineSettings,
  printQuery,
  resultColumns,
  rowDecoder,
} from '#search';
import { normalizeBody } from '../../../src/ingestion/normalize/normalize.ts';
import { createDatabase, createTable, qualified } from '../../../src/lake/ddl.ts';
import { startTestLake } from '../../support/lake.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const lake = await startTestLake();
const { client } = lake;
const tenantId = '01890000-0000-7000-8000-000000000001';
const database = 'managed_schemas';
await client.command(createDatabase(database));
afterAll(() => lake.close());

const root = path.resolve(import.meta.dirname, '../../..');
const ours = Map.groupBy(
  readFileSync(path.join(root, 'test/fixtures/log-samples.txt'), 'utf8').trimEnd().split('\n'),
  (line) => line.slice(0, line.indexOf(' ')),
);
const samples = path.join(process.env['MARGAY_SHARED_DIR'] ?? path.join(root, '../shared'), 'data/samples');
const theirs = new Map(
  (existsSync(samples) ? readdirSync(samples) : []).map((file) => [file.replace(/\.(log|ndjson)$/, ''), file]),
);

/** Records of a log type, made up and real. */
function bodies(logType: string): readonly Buffer[] {
  const lines = (ours.get(logType) ?? []).map((line) => line.slice(logType.length + 1));
  const file = theirs.get(logType);
  return [
    ...(lines.length > 0 ? [Buffer.from(lines.join('\n'))] : []),
    ...(file === undefined ? [] : [readFileSync(path.join(samples, file))]),
  ];
}

type Row = Readonly<Record<string, unknown>>;

function normalized(logType: string): { readonly ndjson: Buffer; readonly lines: readonly string[] } {
  const schemas = [managedSchemas().get(logType)?.compiled].filter((found) => found !== undefined);
  const parts = bodies(logType).map((body, part) =>
    normalizeBody(body, { type: 'Auto', options: {} }, schemas, {
      tenantId,
      batchId: logType,
      part,
      sourceId: 's',
      sourceLabel: 'label',
      parseTime: new Date('2026-03-02T00:00:00Z'),
    }),
  );
  const ndjson = Buffer.concat(parts.flatMap(({ logs }) => logs.map(({ rows }) => rows)));
  return { ndjson, lines: ndjson.toString().trimEnd().split('\n') };
}

async function read(logType: string, table: LakeTable): Promise<readonly Row[]> {
  const schema = managedSchemas().get(logType);
  const fields = schemaFields(schema?.specText ?? '');
  const catalogue = buildCatalogue({
    tables: [table],
    schemas: [{ logType, description: '', fields }],
    access: { kind: 'ALLOW_ALL' },
  });
  const name = logType.toLowerCase().replaceAll('.', '_');
  const { query } = await compileSql(`SELECT * FROM panther_logs.public.${name}`, { catalogue, now: new Date() });
  const printed = printQuery(query, { tenantId, rowsMax: 100_000 });
  const columns = resultColumns(printed.columns);
  const decode = rowDecoder(columns);
  const rows: Row[] = [];
  const settings = engineSettings(defaultLimits);
  const options = { queryId: crypto.randomUUID(), settings, signal: new AbortController().signal };
  for await (const lines of client.lines(printed.sql, options))
    for (const values of lines.filter((line) => line !== '').map(decode))
      rows.push(Object.fromEntries(columns.map((column, index) => [column.name.toLowerCase(), values[index]])));
  return rows;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Numbers as texts, exact beyond 2^53. Inside JSON the lake keeps neither null nor objects without keys. */
function comparable(text: string): unknown {
  const exact: Reviver = (_key, value, { source }) => {
    if (typeof value === 'number')
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? source : String(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const kept = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  };
  return (JSON.parse as (text: string, reviver: Reviver) => unknown)(text, exact);
}

const isJsonOf = (text: string, value: unknown): boolean => {
  try {
    return typeof value === 'object' && isDeepStrictEqual(comparable(text), comparable(JSON.stringify(value)));
  } catch {
    return false;
  }
};

/** Fields that came back as something else. Times have another form; null and absent are one. */
function changed(line: string, after: Row, columns: readonly LakeTable['columns'][number][]): readonly string[] {
  const before = comparable(line) as Row;
  return columns
    .filter(({ name, type }) => type !== 'timestamp' && before[name] !== null && before[name] !== undefined)
    .filter(({ name, type }) => {
      const found = after[name.toLowerCase()];
      const given = before[name];
      // A text in a column of JSON comes back as it is, or as the JSON that it holds.
      if (typeof given === 'string' && (found === given || isJsonOf(given, found))) return false;
      const isText = typeof found === 'string' && !['string', 'timestamp'].includes(type);
      return !isDeepStrictEqual(comparable(isText ? found : (JSON.stringify(found) ?? 'null')), before[name]);
    })
    .map(({ name }) => name);
}

const withSamples = [...managedSchemas().keys()].filter((name) => bodies(name).length > 0);

test.each(withSamples)('events of %s are stored and read back as they were', async (logType) => {
  const compiled = managedSchemas().get(logType)?.compiled;
  const { ndjson, lines } = normalized(logType);
  const table: LakeTable = {
    id: tenantId,
    tenantId,
    family: 'logs',
    logType,
    layout: 'dedicated',
    database,
    table: `logs_${logType.toLowerCase().replaceAll('.', '_')}`,
    columns: compiled?.columns ?? [],
  };
  await client.command(createTable(table, { engine: 'MergeTree', retentionDays: 3650 }));
  await client.insert(qualified(table), ndjson, `load-${logType}`);
  const stored = new Map((await read(logType, table)).map((row) => [row['p_row_id'], row]));
  expect(stored.size).toBe(lines.length);
  const differing = lines.flatMap((line) => {
    const { p_row_id: id } = JSON.parse(line) as { readonly p_row_id: string };
    return changed(line, stored.get(id) ?? {}, table.columns);
  });
  expect([...new Set(differing)]).toEqual([]);
});

test('a table can be made for every shipped schema', async () => {
  for (const { name, compiled } of managedSchemas().values()) {
    if (withSamples.includes(name)) continue;
    const table = `logs_${name.toLowerCase().replaceAll('.', '_')}`;
    const made = {
      id: tenantId,
      tenantId,
      family: 'logs',
      logType: name,
      layout: 'dedicated',
      database,
      table,
    } as const;
    await client.command(
      createTable({ ...made, columns: compiled.columns }, { engine: 'MergeTree', retentionDays: 30 }),
    );
  }
});
