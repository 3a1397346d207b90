import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { DomainError } from '#platform/errors';
import { readSettings, sharedSettings, writeSettings } from './engine-settings.ts';

export { sharedSettings } from './engine-settings.ts';

export type LakeAddress = { readonly url: string; readonly user: string; readonly password: string };

/** Values bound to `{name:Type}` places of a statement; never concatenated into it. */
export type LakeParameters = Readonly<Record<string, string | number | boolean | readonly string[] | null>>;

/** The lake as ClickHouse's HTTP interface. Errors are DomainErrors that show nothing of the engine's text. */
export type LakeClient = {
  /** Rows of a read. `timeoutSeconds` and the row ceiling are enforced by the engine. */
  rows<Row>(sql: string, parameters?: LakeParameters, limits?: RowLimits): Promise<readonly Row[]>;
  command(sql: string): Promise<void>;
  /**
   * Lines of a long read in the format JSONCompactEachRow, as they come. When the signal aborts or the reader stops, the
   * engine is told to stop too and the connection is given up. Throws QueryStopped with the engine's code.
   */
  lines(sql: string, options: ReadOptions): AsyncIterable<readonly string[]>;
  /** How much a running read has read so far; zero when there is none with that id. */
  progress(queryId: string): Promise<{ readonly readRows: number; readonly readBytes: number }>;
  /** Writes NDJSON rows. A token makes repetitions harmless: the same token twice writes once. */
  insert(table: string, ndjson: Buffer, token: string): Promise<void>;
  /** The rows of a read as the engine's own binary format, exact for every type, in pieces. */
  readNative(sql: string): Promise<AsyncIterable<Buffer>>;
  /** The rows of a read as one Parquet file, whole: ask for as many rows as memory holds. */
  readParquet(sql: string): Promise<Buffer>;
  /** Writes what `readNative` gave, into a table with the same columns. */
  insertNative(table: string, bytes: Readable): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
};

export type ReadOptions = {
  readonly queryId: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
};

/** The engine gave a read up. `code` is its number of the reason; the message is for the log, not for users. */
export class QueryStopped extends Error {
  override readonly name = 'QueryStopped';
  readonly code: number;
  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Code of a connection that broke in the middle of an answer. */
export const connectionLost = 210;

/** The rows themselves were refused: sending them again cannot help. */
export class RowsRefused extends Error {
  override readonly name = 'RowsRefused';
}

/** Engine codes that speak of the data: cannot parse, type mismatch, unknown field, value out of range and the like. */
const dataCodes = new Set([
  '6',
  '25',
  '26',
  '27',
  '32',
  '38',
  '41',
  '53',
  '69',
  '70',
  '72',
  '117',
  '130',
  '131',
  '441',
  '675',
  '676',
]);

function translate(error: unknown, sql: string): Error {
  if (error instanceof ClickHouseError && dataCodes.has(error.code))
    return new RowsRefused(error.message, { cause: error });
  return new DomainError('unavailable', {
    publicMessage: 'The data lake did not answer. Try again in a moment.',
    retryable: true,
    retryAfterSeconds: 5,
    detail: { sql: sql.slice(0, 200) },
    cause: error,
  });
}

async function translated<T>(sql: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw translate(error, sql);
  }
}

/** The connection is free for others only when its answer has been read. */
async function drained(stream: Readable): Promise<void> {
  stream.resume();
  await new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject));
}

async function insertRows(client: ClickHouseClient, table: string, ndjson: Buffer, token: string): Promise<void> {
  const { stream } = await client.exec({
    query: `INSERT INTO ${table} FORMAT JSONEachRow`,
    values: Readable.from([ndjson]),
    clickhouse_settings: { ...writeSettings, insert_deduplication_token: token },
  });
  await drained(stream);
}

function stopped(error: unknown): Error {
  if (error instanceof QueryStopped) return error;
  if (error instanceof ClickHouseError) return new QueryStopped(Number(error.code), error.message, error);
  return new QueryStopped(connectionLost, error instanceof Error ? error.message : String(error), error);
}

/** Whole lines of a stream of bytes; the last one counts only when the stream ended well. */
export async function* splitLines(stream: AsyncIterable<Uint8Array>): AsyncIterable<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  const last = rest + decoder.decode();
  if (last !== '') yield [last];
}

async function* readLines(
  client: ClickHouseClient,
  sql: string,
  options: ReadOptions,
): AsyncIterable<readonly string[]> {
  let stream: Readable | undefined;
  try {
    const answer = await client.exec({
      query: `${sql} FORMAT JSONCompactEachRow`,
      query_id: options.queryId,
      abort_signal: options.signal,
      clickhouse_settings: { ...options.settings },
    });
    ({ stream } = answer);
    options.signal.addEventListener('abort', () => stream?.destroy(new Error('aborted')), { once: true });
    yield* splitLines(stream as AsyncIterable<Uint8Array>);
  } catch (error) {
    throw stopped(error);
  } finally {
    stream?.destroy();
  }
}

async function insertStream(client: ClickHouseClient, table: string, bytes: Readable): Promise<void> {
  const { stream } = await client.exec({ query: `INSERT INTO ${table} FORMAT Native`, values: bytes });
  await drained(stream);
}

/** Whole numbers that a double cannot hold arrive as text, exact; all others as numbers. */
function parseRows<Row>(text: string): readonly Row[] {
  const keep = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? (context?.source ?? String(value))
      : value;
  const reviver = /\d{16}/.test(text) ? keep : undefined;
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line, reviver) as Row);
}

type RowLimits = { readonly timeoutSeconds?: number; readonly rowsMax?: number };

async function readRows<Row>(
  client: ClickHouseClient,
  sql: string,
  parameters: LakeParameters,
  limits: RowLimits,
): Promise<readonly Row[]> {
  const result = await client.query({
    query: sql,
    format: 'JSONEachRow',
    query_params: { ...parameters },
    clickhouse_settings: {
      max_execution_time: limits.timeoutSeconds ?? 30,
      max_result_rows: String(limits.rowsMax ?? 100_000),
      ...readSettings,
    },
  });
  return parseRows<Row>(await result.text());
}

const quiet = { compression: { request: false, response: false }, log: { level: 127 } } as const;

const progressSql = `SELECT toFloat64(sum(read_rows)) AS readRows, toFloat64(sum(read_bytes)) AS readBytes FROM system.processes
  WHERE query_id = {id:String} OR startsWith(query, concat('/*qid:', {id:String}, '*/'))`;

/** Opens a client; connections are made when needed. */
export function createLakeClient(address: LakeAddress): LakeClient {
  const client = createClient({
    url: address.url,
    username: address.user,
    password: address.password,
    request_timeout: 120_000,
    max_open_connections: 16,
    clickhouse_settings: sharedSettings,
    ...quiet,
  });
  // Long reads have their own connections, so that they take none from the product's own work.
  const reader = createClient({
    url: address.url,
    username: address.user,
    password: address.password,
    request_timeout: 3_600_000,
    max_open_connections: 32,
    clickhouse_settings: sharedSettings,
    ...quiet,
  });
  return {
    rows: <Row>(sql: string, parameters: LakeParameters = {}, limits: RowLimits = {}) =>
      translated(sql, readRows<Row>(client, sql, parameters, limits)),
    lines: (sql, options) => readLines(reader, sql, options),
    async progress(queryId) {
      const result = await client.query({ query: progressSql, format: 'JSONEachRow', query_params: { id: queryId } });
      const [row] = parseRows<{ readonly readRows: number; readonly readBytes: number }>(await result.text());
      return row ?? { readRows: 0, readBytes: 0 };
    },
    command: (sql) =>
      translated(
        sql,
        client.command({ query: sql }).then(() => undefined),
      ),
    insert: (table, ndjson, token) => translated(`INSERT INTO ${table}`, insertRows(client, table, ndjson, token)),
    readNative: (sql) =>
      translated(
        sql,
        client.exec({ query: `${sql} FORMAT Native` }).then(({ stream }) => stream as AsyncIterable<Buffer>),
      ),
    readParquet: (sql) =>
      translated(
        sql,
        client.exec({ query: `${sql} FORMAT Parquet` }).then(({ stream }) => buffer(stream)),
      ),
    insertNative: (table, bytes) => translated(`INSERT INTO ${table}`, insertStream(client, table, bytes)),
    ping: async () => (await client.ping()).success,
    async close() {
      await client.close();
      await reader.close();
    },
  };
}
