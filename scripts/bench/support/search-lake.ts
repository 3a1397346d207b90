import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReaders, type LakeColumn, type LakeTable, startEmbeddedLake } from '#lake';
import { createLakeClient } from '#platform/lake-client';
import { silentLog } from '#platform/log';
import { rowIdsOf } from '../../../src/ingestion/normalize/row-ids.ts';
import { cloneTable, createDatabase, createTable, dropDatabase, qualified } from '../../../src/lake/ddl.ts';
import { type Copy, insertCopy } from './search-copies.ts';
import { createDraw, type Draw, type SearchLogType, searchLogTypes } from './search-rows.ts';

export const benchTenant = '01890000-0000-7000-8000-000000000001';
export const days = 30;
const secret = 'lake-of-the-benchmark';
const rowsPerInsert = 50_000;
const watched: readonly LakeColumn[] = [{ name: 'address', type: 'string' }];
const millisecondsPerDay = 86_400_000;

const tableOf = (logType: string, columns: readonly LakeColumn[]): LakeTable => ({
  id: benchTenant,
  tenantId: benchTenant,
  family: 'logs',
  logType,
  layout: 'dedicated',
  database: 't_bench',
  table: `logs_${logType.toLowerCase().replaceAll('.', '_')}`,
  columns,
});

/** A lake of its own as the product has it: embedded, with readers, tables by its own definitions. */
export async function openBenchLake(folder: string) {
  const server = await startEmbeddedLake({
    nodePath: process.execPath,
    dataDir: path.join(folder, 'lake'),
    secret,
    memoryBytesMax: 4_000_000_000,
    log: silentLog,
  });
  const client = createLakeClient({ url: server.url, user: 'margay', password: secret });
  const readers = await createReaders({
    client,
    lakeFolder: path.join(folder, 'lake'),
    bundleFolder: path.join(folder, 'reader'),
    nodePath: process.execPath,
    uid: process.getuid?.(),
  });
  const tables = [
    ...searchLogTypes.map(({ logType, columns }) => tableOf(logType, columns)),
    tableOf('Custom.Watchlist', watched),
  ];
  await client.command(createDatabase('t_bench'));
  for (const table of tables) await client.command(createTable(table, { engine: 'MergeTree', retentionDays: 3650 }));
  return {
    client,
    readers,
    tables,
    async close() {
      await client.close();
      await server.stop();
    },
  };
}

export type BenchLake = Awaited<ReturnType<typeof openBenchLake>>;
type Say = (line: string) => void;

/** Rows there are, those of them that were sent as loads are, with the seconds their inserts took, and bytes of events. */
export type Filled = {
  readonly rows: number;
  readonly rawBytes: number;
  readonly inserted: { readonly rows: number; readonly rawBytes: number; readonly seconds: number };
};

/** How late a row may come: of its event time the lake knows only the order within a part. */
const delayMs = 60_000;
const rowsPerBatch = 2500;
const rowBytesMax = 2000;

/** Rows of one insert as NDJSON, in the order of their arrival, and the bytes of their events as they came in. */
function block(type: SearchLogType, draw: Draw, { rows: count, from, to }: Omit<Copy, 'number'>) {
  const rows = Buffer.allocUnsafe(count * rowBytesMax);
  let [size, rawBytes] = [0, 0];
  let idOf = rowIdsOf({ tenantId: benchTenant, batchId: draw.uuid(), part: 0, rowIds: 'numbered' });
  for (let index = 0; index < count; index++) {
    if (index % rowsPerBatch === 0)
      idOf = rowIdsOf({ tenantId: benchTenant, batchId: draw.uuid(), part: 0, rowIds: 'numbered' });
    const arrival = from + ((to - from) * index) / count;
    const time = new Date(arrival - draw.skewed(delayMs)).toISOString();
    const { raw, indicators } = type.event(draw, time);
    const standard = `{"p_event_time":"${time}","p_parse_time":"${new Date(arrival).toISOString()}","p_log_type":"${type.logType}","p_row_id":"${idOf(rawBytes)}","p_source_id":"source","p_source_label":"bench",`;
    rawBytes += raw.length;
    size += rows.write(`${standard}${indicators.slice(1, -1)},${raw.slice(1)}\n`, size, 'latin1');
  }
  return { ndjson: rows.subarray(0, size), rawBytes };
}

/** Cuts so many rows over the thirty days into pieces of a size; each takes the part of the time that is its own. */
export function pieces(rows: number, rowsPerPiece: number, end: Date): readonly Copy[] {
  const start = end.getTime() - days * millisecondsPerDay;
  const at = (row: number): number => start + (days * millisecondsPerDay * row) / rows;
  return Array.from({ length: Math.ceil(rows / rowsPerPiece) }, (_, index) => {
    const [first, next] = [index * rowsPerPiece, Math.min(rows, (index + 1) * rowsPerPiece)];
    return { number: index + 1, rows: next - first, from: at(first), to: at(next) };
  });
}

type Part = { readonly table: LakeTable; readonly type: SearchLogType; readonly rows: number; readonly end: Date };

/** Sends rows the way loads go: NDJSON over HTTP with a token. Only the inserts are timed, not the making of the rows. */
async function insertRows(lake: BenchLake, { table, type, rows, end }: Part, say: Say) {
  const inserted = { rows: 0, rawBytes: 0, seconds: 0 };
  const draw = createDraw(searchLogTypes.indexOf(type));
  for (const piece of pieces(rows, rowsPerInsert, end)) {
    const { ndjson, rawBytes } = block(type, draw, piece);
    const began = performance.now();
    await lake.client.insert(qualified(table), ndjson, `${table.table}-${piece.number}`);
    inserted.seconds += (performance.now() - began) / 1000;
    inserted.rows += piece.rows;
    inserted.rawBytes += rawBytes;
    say(`${type.logType}: ${inserted.rows} of ${rows} rows inserted`);
  }
  return inserted;
}

/** Adds rows that the engine makes of those the table has: each statement varies every one of them once. */
async function copyRows(lake: BenchLake, { table, type, rows, end }: Part, originalRows: number, say: Say) {
  const originals = { ...table, database: 't_originals' };
  await lake.client.command(createDatabase(originals.database));
  await lake.client.command(cloneTable(originals, table));
  let copied = 0;
  for (const copy of pieces(rows, originalRows, end)) {
    await lake.client.command(insertCopy(table, originals, copy, { batchRows: rowsPerBatch, delayMs }));
    copied += copy.rows;
    say(`${type.logType}: ${copied} of ${rows} rows copied`);
  }
  await lake.client.command(dropDatabase(originals.database));
}

/**
 * Fills the lake over thirty days: so many rows are inserted as in production, the rest are varied copies of them. An
 * event of a copy counts as many raw bytes as those of its log type that were inserted have on average.
 */
export async function fill(
  lake: BenchLake,
  { rows, inserted: most, end }: { readonly rows: number; readonly inserted: number; readonly end: Date },
  say: Say,
): Promise<Filled> {
  const filled = { rows: 0, rawBytes: 0, inserted: { rows: 0, rawBytes: 0, seconds: 0 } };
  for (const [index, type] of searchLogTypes.entries()) {
    const table = lake.tables[index];
    const [all, first] = [rows, Math.min(rows, most)].map((count) => Math.round(count * type.share)) as [
      number,
      number,
    ];
    if (table === undefined || first === 0) continue;
    const inserted = await insertRows(lake, { table, type, rows: first, end }, say);
    if (all > first) await copyRows(lake, { table, type, rows: all - first, end }, first, say);
    filled.rows += all;
    filled.rawBytes += (inserted.rawBytes / first) * all;
    filled.inserted.rows += inserted.rows;
    filled.inserted.rawBytes += inserted.rawBytes;
    filled.inserted.seconds += inserted.seconds;
  }
  return filled;
}

/** A list of addresses to join with. */
export async function fillWatchlist(lake: BenchLake, at: Date): Promise<void> {
  const table = lake.tables.at(-1);
  if (table === undefined) return;
  const draw = createDraw(99);
  const lines = Array.from({ length: 1000 }, () =>
    JSON.stringify({
      p_event_time: at.toISOString(),
      p_parse_time: at.toISOString(),
      p_log_type: 'Custom.Watchlist',
      p_row_id: draw.hex(32),
      address: draw.address(),
    }),
  );
  await lake.client.insert(qualified(table), Buffer.from(`${lines.join('\n')}\n`), 'watchlist');
}

/** Waits until the engine merges nothing, seen twice in a row; for ten minutes at most. */
export async function merged(lake: BenchLake, say: Say): Promise<void> {
  const until = Date.now() + 600_000;
  for (let quiet = 0; quiet < 2 && Date.now() < until;) {
    await sleep(5000);
    const [running] = await lake.client.rows<{ n: number }>('SELECT toUInt32(count()) AS n FROM system.merges');
    quiet = running?.n === 0 ? quiet + 1 : 0;
    say(`${running?.n} merges run`);
  }
}

/** What the lake holds on disk once it has merged. */
export async function storedBytes(lake: BenchLake): Promise<number> {
  const [row] = await lake.client.rows<{ readonly bytes: number }>(
    "SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE database = 't_bench' AND active",
  );
  return row?.bytes ?? 0;
}

/** Writes every table as Parquet for other engines, a file for each day; objects as JSON text. */
export async function writeParquet(
  lake: BenchLake,
  folder: string,
  end: Date,
  say: Say,
): Promise<{ readonly bytes: number; readonly views: readonly string[] }> {
  let bytes = 0;
  for (const table of lake.tables) {
    const objects = table.columns.filter(({ type }) => type === 'object').map(({ name }) => name);
    const replaced = objects.map((name) => `toJSONString(\`${name}\`) AS \`${name}\``).join(', ');
    const columns = objects.length === 0 ? '*' : `* REPLACE (${replaced})`;
    await mkdir(path.join(folder, table.table), { recursive: true });
    for (let day = 0; day <= days; day++) {
      const date = new Date(end.getTime() - day * millisecondsPerDay).toISOString().slice(0, 10);
      const rows = `FROM ${qualified(table)} WHERE toDate(p_event_time) = '${date}'`;
      const [found] = await lake.client.rows<{ n: number }>(`SELECT toFloat64(count()) AS n ${rows}`);
      if (found?.n === 0) continue;
      const file = await lake.client.readParquet(`SELECT ${columns} ${rows} ORDER BY p_event_time`);
      await writeFile(path.join(folder, table.table, `${date}.parquet`), file);
      bytes += file.length;
    }
    say(`${table.logType}: written, ${Math.round(bytes / 1e6)} MB of Parquet so far`);
  }
  const views = lake.tables.map(
    ({ table }) =>
      `CREATE VIEW ${table.replace(/^logs_/, '')} AS SELECT * FROM '${path.join(folder, table, '*.parquet')}'`,
  );
  return { bytes, views };
}
