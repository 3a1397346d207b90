import { createHash } from 'node:crypto';
import type { LakeClient } from '#platform/lake-client';
import { qualified } from '../ddl.ts';
import { familyColumns, type LakeColumn, type LakeTable, standardColumns } from '../lake-table.ts';

/** One file of an export: where it lies below the folder of the tenant, and what is in it. */
export type ExportedFile = {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
};

/** A table of an export: the folder of its files, and what a lake needs to make the table again. */
export type ExportedTable = Pick<LakeTable, 'family' | 'logType' | 'columns'> & { readonly folder: string };

/** What `_manifest.json` says about an export. */
export type ExportManifest = { readonly tables: readonly ExportedTable[]; readonly files: readonly ExportedFile[] };

type Files = {
  put(path: string, bytes: Buffer): Promise<void>;
  delete(path: string): Promise<void>;
};

type Deps = {
  readonly client: Pick<LakeClient, 'rows' | 'readParquet'>;
  readonly files: Files;
};

export type ExportOptions = {
  /** Of one tenant. */
  readonly tables: readonly LakeTable[];
  readonly from: Date;
  readonly to: Date;
  /** Files of the last export: an hour is written again when the lake has more rows of it, never to lose rows. */
  readonly known: readonly ExportedFile[];
  readonly onFile: (file: ExportedFile) => void;
};

/** Rows of one file: what this process and the engine hold at once. */
const rowsPerFile = 200_000;
/** About as many rows a reader has to unpack together; an import holds as many. */
const rowsPerGroup = 20_000;

const placeOf = ({ family, logType, table }: LakeTable): string =>
  family === 'logs'
    ? `database=panther_logs/table=${table.replace(/^logs_/, '')}/log_type=${encodeURIComponent(logType)}`
    : {
        rule_matches: 'database=panther_rule_matches/table=all/log_type=all',
        rule_errors: 'database=panther_rule_errors/table=all/log_type=all',
        signals: 'database=panther_signals/table=correlation_signals/log_type=all',
        classification_failures: 'database=panther_monitor/table=classification_failures/log_type=none',
      }[family];

export const exportedTables = (tables: readonly LakeTable[]): readonly ExportedTable[] =>
  tables.map((table) => ({
    folder: placeOf(table),
    family: table.family,
    logType: table.logType,
    columns: table.columns,
  }));

/** Objects have no fixed type of their own in Parquet: they are JSON text, which every reader takes. */
function columnOf({ name, type, element }: LakeColumn): string {
  const quoted = `\`${name}\``;
  if (type === 'object') return `toJSONString(${quoted}) AS ${quoted}`;
  if (type === 'array' && element === 'object') return `arrayMap(x -> toJSONString(x), ${quoted}) AS ${quoted}`;
  return quoted;
}

/** Every column of a table's files. */
export function fileColumns({ family, columns }: Pick<LakeTable, 'family' | 'columns'>): readonly LakeColumn[] {
  const own = family === 'logs' ? columns : [...familyColumns[family], ...columns];
  return [...new Map([...standardColumns, ...own].map((column) => [column.name, column])).values()];
}

export const stamp = (at: Date): string => `fromUnixTimestamp64Milli(${at.getTime()}, 'UTC')`;
/** Rows of the table's tenant that arrived in the range. */
export const whereOf = (table: LakeTable, from: Date, to: Date): string => {
  const range = `p_parse_time >= ${stamp(from)} AND p_parse_time < ${stamp(to)}`;
  return table.layout === 'pooled' ? `p_tenant_id = toUUID('${table.tenantId}') AND ${range}` : range;
};

type Hour = { readonly hour: string; readonly rows: number };

const hours = (client: Deps['client'], table: LakeTable, { from, to }: ExportOptions): Promise<readonly Hour[]> =>
  client.rows<Hour>(
    `SELECT formatDateTime(toStartOfHour(p_parse_time), '%FT%H', 'UTC') AS hour, toFloat64(count()) AS rows
     FROM ${qualified(table)} WHERE ${whereOf(table, from, to)} GROUP BY hour ORDER BY hour`,
  );

async function count(client: Deps['client'], table: LakeTable, where: string): Promise<number> {
  const [row] = await client.rows<{ rows: number }>(
    `SELECT toFloat64(count()) AS rows FROM ${qualified(table)} WHERE ${where}`,
  );
  return row?.rows ?? 0;
}

/** Writes one hour anew, in as many files as it needs, and deletes those that an earlier export had beyond them. */
async function writeHour(
  { client, files }: Deps,
  table: LakeTable,
  { hour, rows }: Hour,
  earlier: readonly ExportedFile[],
): Promise<readonly ExportedFile[]> {
  const start = new Date(`${hour}:00:00Z`);
  const where = whereOf(table, start, new Date(start.getTime() + 3_600_000));
  const [day, number] = hour.split('T');
  const folder = `${placeOf(table)}/dt=${day}/hour=${number}`;
  const columns = fileColumns(table).map(columnOf).join(', ');
  const parts = Math.ceil(rows / rowsPerFile);
  const written: ExportedFile[] = [];
  for (let part = 0; part < parts; part++) {
    const share = parts === 1 ? '' : ` AND cityHash64(p_row_id) % ${parts} = ${part}`;
    const sql = `SELECT ${columns} FROM ${qualified(table)} WHERE ${where}${share} ORDER BY p_event_time, p_row_id SETTINGS output_format_parquet_row_group_size = ${rowsPerGroup}`;
    const bytes = await client.readParquet(sql);
    const path = `${folder}/part-${String(part).padStart(4, '0')}.parquet`;
    await files.put(path, bytes);
    written.push({
      path,
      rows: parts === 1 ? rows : await count(client, table, `${where}${share}`),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  }
  const kept = new Set(written.map(({ path }) => path));
  for (const { path } of earlier) if (!kept.has(path)) await files.delete(path);
  return written;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/**
 * Writes the rows that arrived in the hours of the range as Parquet files, an hour of a table in a folder of its own:
 * `database=/table=/log_type=/dt=/hour=`. Hours without new rows since the last export are left as they are, also when
 * the lake has lost some of theirs.
 * Returns every file that there is now.
 */
export async function exportParquet(deps: Deps, options: ExportOptions): Promise<readonly ExportedFile[]> {
  const { tables, known, onFile } = options;
  const byFolder = Map.groupBy(known, ({ path }) => folderOf(path));
  for (const table of tables)
    for (const hour of await hours(deps.client, table, options)) {
      const [day, number] = hour.hour.split('T');
      const folder = `${placeOf(table)}/dt=${day}/hour=${number}`;
      const earlier = byFolder.get(folder) ?? [];
      if (earlier.reduce((sum, { rows }) => sum + rows, 0) >= hour.rows) continue;
      const written = await writeHour(deps, table, hour, earlier);
      byFolder.set(folder, [...written]);
      written.forEach(onFile);
    }
  return [...byFolder.values()].flat().toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
