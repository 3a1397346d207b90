import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createReaders, type LakeColumn, type LakeTable, startEmbeddedLake } from '#lake';
import { createLakeClient } from '#platform/lake-client';
import { silentLog } from '#platform/log';
import { rowIdsOf } from '../../../src/ingestion/normalize/row-ids.ts';
import { createDatabase, createTable, qualified } from '../../../src/lake/ddl.ts';
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
export type Filled = { readonly rows: number; readonly rawBytes: number; readonly seconds: number };

/** How late a row may come: of its event time the lake knows only the order within a part. */
const delayMs = 60_000;
const rowsPerBatch = 2500;
const rowBytesMax = 2000;

/** Rows of one insert as NDJSON, in the order of their arrival, and the bytes of their events as they came in. */
function block(type: SearchLogType, draw: Draw, { from, to }: { readonly from: number; readonly to: number }) {
  const rows = Buffer.allocUnsafe(rowsPerInsert * rowBytesMax);
  let [size, rawBytes] = [0, 0];
  let idOf = rowIdsOf({ tenantId: benchTenant, batchId: draw.uuid(), part: 0, rowIds: 'numbered' });
  for (let index = 0; index < rowsPerInsert; index++) {
    if (index % rowsPerBatch === 0)
      idOf = rowIdsOf({ tenantId: benchTenant, batchId: draw.uuid(), part: 0, rowIds: 'numbered' });
    const arrival = from + ((to - from) * index) / rowsPerInsert;
    const time = new Date(arrival - draw.skewed(delayMs)).toISOString();
    const { raw, indicators } = type.event(draw, time);
    const standard = `{"p_event_time":"${time}","p_parse_time":"${new Date(arrival).toISOString()}","p_log_type":"${type.logType}","p_row_id":"${idOf(rawBytes)}","p_source_id":"source","p_source_label":"bench",`;
    rawBytes += raw.length;
    size += rows.write(`${standard}${indicators.slice(1, -1)},${raw.slice(1)}\n`, size, 'latin1');
  }
  return { ndjson: rows.subarray(0, size), rawBytes };
}

/**
 * Fills the lake up to so many rows over thirty days, the way loads go: NDJSON over HTTP with a token. Only the inserts
 * are timed, not the making of the rows.
 */
export async function fill(lake: BenchLake, from: number, rows: number, end: Date): Promise<Filled> {
  const start = end.getTime() - days * millisecondsPerDay;
  const filled = { rows: 0, rawBytes: 0, seconds: 0 };
  for (const [index, type] of searchLogTypes.entries()) {
    const table = lake.tables[index];
    const blocks = Math.max(1, Math.round((rows * type.share) / rowsPerInsert));
    const draw = createDraw(from + index);
    for (let number = 0; number < blocks && table !== undefined; number++) {
      const span = (days * millisecondsPerDay) / blocks;
      const { ndjson, rawBytes } = block(type, draw, { from: start + number * span, to: start + (number + 1) * span });
      const began = performance.now();
      await lake.client.insert(qualified(table), ndjson, `${from}-${index}-${number}`);
      filled.seconds += (performance.now() - began) / 1000;
      filled.rows += rowsPerInsert;
      filled.rawBytes += rawBytes;
    }
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
  }
  const views = lake.tables.map(
    ({ table }) =>
      `CREATE VIEW ${table.replace(/^logs_/, '')} AS SELECT * FROM '${path.join(folder, table, '*.parquet')}'`,
  );
  return { bytes, views };
}
