import { createHash } from 'node:crypto';
import { DomainError } from '#platform/errors';
import { hashId, type Ids } from '#platform/ids';
import type { LakeClient } from '#platform/lake-client';
import { type Database, mayRun } from '#platform/postgres';
import { qualified, textLiteral } from '../ddl.ts';
import { familyColumns, type LakeColumn, type LakeTable, placeTable } from '../lake-table.ts';
import { insertRows } from '../loads/load-executor.ts';
import type { TableKeeper } from '../table-keeper.ts';
import {
  type ExportedFile,
  type ExportedTable,
  type ExportManifest,
  fileColumns,
  stamp,
  whereOf,
} from './parquet-export.ts';
import { columnsOf, damaged, lineOf, openParquet, type Row, rowGroups } from './parquet-rows.ts';

type Deps = {
  readonly database: Database;
  readonly client: Pick<LakeClient, 'rows' | 'insert'>;
  readonly keeper: TableKeeper;
  readonly ids: Ids;
};

export type ImportOptions = {
  readonly tenantId: string;
  readonly manifest: ExportManifest;
  /** A file of the export, by the path that the manifest has for it. */
  readonly read: (path: string) => Promise<Buffer>;
  readonly from: Date;
  readonly to: Date;
  /** What arrived in hours before is not kept any more, and stays outside. */
  readonly keptSince: Date;
  readonly onFile: (file: ExportedFile, counts: ImportCounts) => void;
  /** Why rows stay outside: once for each file of which some do. */
  readonly onRefused: (file: ExportedFile, reason: string) => void;
};

/** What became of the rows; `tooOld` are those which retention would delete at once. */
export type ImportCounts = {
  readonly files: number;
  readonly imported: number;
  readonly alreadyThere: number;
  readonly tooOld: number;
  readonly refused: number;
};

const none: ImportCounts = { files: 0, imported: 0, alreadyThere: 0, tooOld: 0, refused: 0 };
const sum = (a: ImportCounts, b: ImportCounts): ImportCounts => ({
  files: a.files + b.files,
  imported: a.imported + b.imported,
  alreadyThere: a.alreadyThere + b.alreadyThere,
  tooOld: a.tooOld + b.tooOld,
  refused: a.refused + b.refused,
});

const hourMs = 3_600_000;
/** Row ids in one question: the text of a statement has a limit. */
const idsPerQuestion = 5000;

type Place = { readonly folder: string; readonly start: Date };

const shape =
  /^(database=[a-z_]+\/table=[a-z0-9_]+\/log_type=[^/]+)\/dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/part-\d{4,}\.parquet$/;

/** The manifest lies where others write too: a path that no export makes is never followed. */
function placeOfFile(path: string): Place {
  const [, folder, day, hour] = shape.exec(path) ?? [];
  const start = new Date(`${day}T${hour}:00:00Z`);
  if (folder === undefined || Number.isNaN(start.getTime())) throw damaged(path, 'is no path of an export');
  return { folder, start };
}

/** Which of the rows the lake has: looked up by hour of arrival, time and id, so little is read. */
async function idsInLake(
  client: Deps['client'],
  table: LakeTable,
  start: Date,
  rows: readonly Row[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let at = 0; at < rows.length; at += idsPerQuestion) {
    const some = rows.slice(at, at + idsPerQuestion);
    const times = some.map((row) => row.p_event_time.getTime());
    const [first, last] = [
      times.reduce((a, b) => Math.min(a, b), Infinity),
      times.reduce((a, b) => Math.max(a, b), -Infinity),
    ];
    const known = await client.rows<{ id: string }>(
      `SELECT DISTINCT p_row_id AS id FROM ${qualified(table)} WHERE ${whereOf(table, start, new Date(start.getTime() + hourMs))}
       AND p_event_time >= ${stamp(new Date(first))} AND p_event_time <= ${stamp(new Date(last))}
       AND p_row_id IN (${some.map((row) => textLiteral(row.p_row_id)).join(', ')})`,
    );
    for (const { id } of known) found.add(id);
  }
  return found;
}

type Step = { readonly counts: ImportCounts; readonly reason: string | undefined };

/**
 * Writes what is missing of some rows. One import of a tenant at a time asks and writes, and none while a backup holds
 * loads back; so a row which another import or an earlier, interrupted one has written is found and left out.
 */
function importRows(
  { client, database }: Deps,
  table: LakeTable,
  columns: readonly LakeColumn[],
  { start, path }: Place & { readonly path: string },
  rows: readonly Row[],
  token: string,
): Promise<Step> {
  return database.withSystem('an import looks what is there and writes the rest', async (tx) => {
    if (!(await mayRun(tx, 'loads')))
      throw new DomainError('unavailable', {
        publicMessage: 'A backup holds loads back. Import again when it is done; nothing comes twice.',
      });
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('lake_import/' || $1, 0))", [table.tenantId]);
    const known = await idsInLake(client, table, start, rows);
    const seen = new Set(known);
    // A set that has grown had no such row before, in the lake or further up in the file.
    const missing = rows.filter(({ p_row_id: id }) => seen.size < seen.add(id).size);
    const refused =
      missing.length === 0
        ? []
        : await insertRows(
            client,
            table,
            Buffer.from(missing.map((row) => lineOf(path, columns, row)).join('')),
            token,
          );
    return {
      counts: {
        ...none,
        imported: missing.length - refused.length,
        alreadyThere: rows.length - missing.length,
        refused: refused.length,
      },
      reason: refused[0]?.reason,
    };
  });
}

/** A column of the export that the lake has with another type: its values have no place. */
function clashOf(table: LakeTable, { columns }: ExportedTable): string | undefined {
  for (const { name, type, element } of columns) {
    const own = table.columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
    if (own === undefined || (own.name === name && own.type === type && own.element === element)) continue;
    return `Column "${name}" is ${type}${element === undefined ? '' : ` of ${element}`} in the export, and "${own.name}", ${own.type}${own.element === undefined ? '' : ` of ${own.element}`}, in the lake`;
  }
  return undefined;
}

/** A column of a file that neither the manifest nor the lake knows: leaving it out would lose its values. */
function unknownColumn(columns: readonly LakeColumn[], inFile: readonly string[]): string | undefined {
  const name = inFile.find((one) => !columns.some((column) => column.name === one));
  return name === undefined
    ? undefined
    : `Column "${name}" is in the file, but not among those of its table in the manifest`;
}

const tableNameOf = (logType: string): string => placeTable('', 'logs', logType, 'pooled').table;

/** Rows that lie in the wrong folder would be found by no later import, and so come twice. */
function refuseStrangers(
  path: string,
  { family, logType }: ExportedTable,
  { start }: Place,
  rows: readonly Row[],
): void {
  for (const { p_parse_time: at, p_log_type: own } of rows) {
    if (family === 'logs' && own !== logType && tableNameOf(own) !== tableNameOf(logType))
      throw damaged(path, `holds rows of the log type "${own}", not of "${logType}"`);
    if (at < start || at.getTime() >= start.getTime() + hourMs)
      throw damaged(path, `holds rows that arrived at ${at.toISOString()}, outside the hour of its folder`);
  }
}

function ensureTable({ keeper }: Deps, tenantId: string, { family, logType, columns }: ExportedTable) {
  const own = family === 'logs' ? [] : familyColumns[family];
  const byName = new Map([...own, ...columns].map((column) => [column.name, column]));
  return keeper.ensure(tenantId, family, logType, [...byName.values()]);
}

async function importFile(
  deps: Deps,
  options: ImportOptions,
  { file, place, exported, runId }: { file: ExportedFile; place: Place; exported: ExportedTable; runId: string },
): Promise<ImportCounts> {
  const one = { ...none, files: 1 };
  if (place.start.getTime() + hourMs <= options.keptSince.getTime()) return { ...one, tooOld: file.rows };
  const table = await ensureTable(deps, options.tenantId, exported);
  const clash = clashOf(table, exported);
  if (clash !== undefined) {
    options.onRefused(file, clash);
    return { ...one, refused: file.rows };
  }
  const bytes = await options.read(file.path);
  if (createHash('sha256').update(bytes).digest('hex') !== file.sha256)
    throw damaged(file.path, 'is not the file that the manifest names');
  const columns = fileColumns(exported);
  const parquet = openParquet(file.path, bytes);
  let reason = unknownColumn(columns, columnsOf(parquet));
  if (reason !== undefined) {
    options.onRefused(file, reason);
    return { ...one, refused: file.rows };
  }
  let counts = one;
  let group = 0;
  for await (const rows of rowGroups(parquet)) {
    refuseStrangers(file.path, exported, place, rows);
    const token = hashId(runId, file.path, String(group++));
    const step = await importRows(deps, table, columns, { ...place, path: file.path }, rows, token);
    counts = sum(counts, step.counts);
    reason ??= step.reason;
  }
  if (reason !== undefined) options.onRefused(file, reason);
  return counts;
}

/**
 * Loads the files of an export whose hours of arrival lie in the range. A row is known by its id: what the lake has is
 * left as it is. The tables are made, and columns added, as the export had them.
 */
export async function importParquet(deps: Deps, options: ImportOptions): Promise<ImportCounts> {
  const runId = deps.ids.uuid();
  const tables = new Map(options.manifest.tables.map((table) => [table.folder, table]));
  let all = none;
  for (const file of options.manifest.files) {
    const place = placeOfFile(file.path);
    if (place.start < options.from || place.start >= options.to) continue;
    const exported = tables.get(place.folder);
    if (exported === undefined) throw damaged(file.path, 'belongs to no table of the manifest');
    const counts = await importFile(deps, options, { file, place, exported, runId });
    options.onFile(file, counts);
    all = sum(all, counts);
  }
  return all;
}
