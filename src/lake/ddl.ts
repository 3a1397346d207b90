import { isUuid } from '#platform/ids';
import { type LakeColumn, type LakeColumnType, type LakeTable, standardColumns } from './lake-table.ts';

/** Which table engine the statements name; everything else in them is the same. */
export type LakeEngine = 'MergeTree' | 'ReplicatedMergeTree';

const identifier = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** A text as statements write it. */
export const textLiteral = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;

/** Name of a table as statements write it. */
export const qualified = ({ database, table }: Pick<LakeTable, 'database' | 'table'>): string =>
  `${identifier(database)}.${identifier(table)}`;

const scalarTypes: Readonly<Record<LakeColumnType, string>> = {
  string: 'Nullable(String)',
  int: 'Nullable(Int32)',
  bigint: 'Nullable(Int64)',
  float: 'Nullable(Float64)',
  boolean: 'Nullable(Bool)',
  timestamp: "Nullable(DateTime64(3, 'UTC'))",
  object: 'JSON(max_dynamic_paths = 256)',
  json: 'JSON(max_dynamic_paths = 256)',
  array: 'Array(JSON)',
};

/** Free-form JSON may be a number, a text or an array, which the JSON type refuses: the engine stores it as its text. */
function typeOf({ type, element }: LakeColumn): string {
  if (type === 'json') return 'Nullable(String)';
  if (type !== 'array') return scalarTypes[type];
  if (element === 'object') return 'Array(JSON)';
  if (element === undefined || element === 'json' || element === 'array') return 'Nullable(String)';
  return `Array(${scalarTypes[element]})`;
}

const fixedTypes: Readonly<Record<string, string>> = {
  p_event_time: "DateTime64(3, 'UTC')",
  p_parse_time: "DateTime64(3, 'UTC')",
  p_log_type: 'LowCardinality(String)',
  p_row_id: 'String',
  p_source_id: 'LowCardinality(String)',
  p_source_label: 'LowCardinality(String)',
};

const storedType = (column: LakeColumn): string =>
  fixedTypes[column.name] ?? (column.name.startsWith('p_any_') ? 'Array(String)' : typeOf(column));

/** How a column is packed on disk (decision 0040). Raise `packing` with every change, so that older tables follow. */
function codecOf(column: LakeColumn): string {
  const type = storedType(column);
  if (/^(?:Nullable\()?DateTime64/.test(type)) return 'CODEC(Delta, ZSTD(1))';
  return /^Nullable\(Int/.test(type) ? 'CODEC(T64, ZSTD(1))' : 'CODEC(ZSTD(1))';
}

/** Number of the way in which new tables pack their columns. */
export const packing = 2;

const columnLine = (column: LakeColumn): string =>
  `${identifier(column.name)} ${storedType(column)} ${codecOf(column)}`;

/** Ids of requests are all different: a list of the rows of each would be as large as the ids themselves. */
const indexType = (name: string): string =>
  name === 'p_any_trace_ids' ? 'bloom_filter(0.01) GRANULARITY 1' : "text(tokenizer = 'array')";

const indexLines = standardColumns
  .filter((column) => column.name.startsWith('p_any_'))
  .map(({ name }) => `INDEX i_${name.slice(6)} ${name} TYPE ${indexType(name)}`);

/**
 * Statement that makes the table; running it again changes nothing. Retention and partitions count from the arrival of
 * a row: old logs that come late are kept as long as fresh ones, and a batch over many years is one part, not hundreds.
 */
export function createTable(
  table: LakeTable,
  options: { readonly engine: LakeEngine; readonly retentionDays: number },
): string {
  const tenantColumn = table.layout === 'pooled' ? ['`p_tenant_id` UUID'] : [];
  const lines = [
    ...tenantColumn,
    ...[...standardColumns, ...table.columns].map(columnLine),
    ...indexLines,
    'INDEX i_row p_row_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'INDEX i_parse p_parse_time TYPE minmax GRANULARITY 1',
  ];
  const order = table.layout === 'pooled' ? '(p_tenant_id, p_event_time)' : 'p_event_time';
  const window =
    options.engine === 'MergeTree' ? 'non_replicated_deduplication_window' : 'replicated_deduplication_window';
  return `CREATE TABLE IF NOT EXISTS ${qualified(table)} (
  ${lines.join(',\n  ')}
) ENGINE = ${options.engine}
PARTITION BY toMonday(p_parse_time)
ORDER BY ${order}
TTL toDateTime(p_parse_time) + INTERVAL ${options.retentionDays} DAY DELETE
SETTINGS ttl_only_drop_parts = 1, ${window} = 10000`;
}

/** One statement for all new columns: altering a table once costs as much as altering it ten times. */
export function addColumns(table: Pick<LakeTable, 'database' | 'table'>, columns: readonly LakeColumn[]): string {
  return `ALTER TABLE ${qualified(table)} ${columns.map((column) => `ADD COLUMN IF NOT EXISTS ${columnLine(column)}`).join(', ')}`;
}

/** Packs what is written from now on, and what is merged, as new tables do; nothing is rewritten for it. */
export function repackColumns(table: Pick<LakeTable, 'database' | 'table' | 'columns'>): string {
  const changes = [...standardColumns, ...table.columns].map(
    (column) => `MODIFY COLUMN IF EXISTS ${identifier(column.name)} ${codecOf(column)}`,
  );
  return `ALTER TABLE ${qualified(table)} ${changes.join(', ')}`;
}

/** Gone at once, with every table in it. */
export const dropDatabase = (name: string): string => `DROP DATABASE IF EXISTS ${identifier(name)} SYNC`;

/** Takes one tenant out of a table that others share; returns when no part of it shows the rows any more. */
export function deleteTenantRows(table: Pick<LakeTable, 'database' | 'table'>, tenantId: string): string {
  if (!isUuid(tenantId)) throw new Error('A tenant id is a lower-case UUID.');
  return `ALTER TABLE ${qualified(table)} DELETE WHERE p_tenant_id = '${tenantId}' SETTINGS mutations_sync = 2`;
}

/** A second table on the same files: it keeps the rows of this moment, whatever the first one does. */
export const cloneTable = (
  clone: Pick<LakeTable, 'database' | 'table'>,
  table: Pick<LakeTable, 'database' | 'table'>,
): string => `CREATE TABLE ${qualified(clone)} CLONE AS ${qualified(table)}`;

/** Rows of one partition; the id comes from the engine. */
export function selectPartition(table: Pick<LakeTable, 'database' | 'table'>, partition: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(partition)) throw new Error(`Not a partition id: ${partition}`);
  return `SELECT * FROM ${qualified(table)} WHERE _partition_id = '${partition}'`;
}

/** Reads a file that lies beside the embedded engine; the name's ending says how it is packed. */
export const insertFile = (table: Pick<LakeTable, 'database' | 'table'>, file: string): string =>
  `INSERT INTO ${qualified(table)} SELECT * FROM file(${textLiteral(file)}, 'Native')`;

/** Takes a week out of a table at once. */
export function dropPartition(table: Pick<LakeTable, 'database' | 'table'>, partition: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(partition)) throw new Error(`Not a partition id: ${partition}`);
  return `ALTER TABLE ${qualified(table)} DROP PARTITION ID '${partition}'`;
}

/** Rows of one tenant that came before a time, in a table that others share: how many there are, and deleting them. */
export function deleteOldTenantRows(
  table: Pick<LakeTable, 'database' | 'table'>,
  tenantId: string,
  before: Date,
): { readonly count: string; readonly delete: string } {
  if (!isUuid(tenantId)) throw new Error('A tenant id is a lower-case UUID.');
  const where = `p_tenant_id = '${tenantId}' AND p_parse_time < fromUnixTimestamp64Milli(${before.getTime()}, 'UTC')`;
  return {
    count: `SELECT toUInt32(count()) AS n FROM ${qualified(table)} WHERE ${where}`,
    delete: `ALTER TABLE ${qualified(table)} DELETE WHERE ${where} SETTINGS mutations_sync = 2`,
  };
}

export const createDatabase = (name: string): string => `CREATE DATABASE IF NOT EXISTS ${identifier(name)}`;
