import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { insertOf, parameterStatements, settingStatements, splitFormat } from './statement.ts';

type Chunk = { raw(): Uint8Array };
type Connection = {
  queryAsync(sql: string, options?: { format?: string }): Promise<{ bytes(): Uint8Array; readonly rowsRead: number }>;
  queryStream(sql: string, options?: { format?: string }): AsyncIterable<Chunk>;
  insert(request: {
    table: string;
    columns?: readonly string[];
    values: Buffer;
    format: string;
    settings?: Record<string, string>;
  }): Promise<{ rowsWritten: number }>;
  close(): void;
};

/** Opens a connection of its own for each request: nothing of one request can show in the next. */
export type Engine = { open(): Connection };

type Options = { readonly engine: Engine; readonly secret: string; readonly memoryBytesMax: number };

/** Formats whose pieces do not make a whole when put one after the other; their answers are held in memory. */
const wholeFormats = new Set(['Parquet', 'Arrow', 'ORC', 'Avro', 'JSON', 'JSONCompact']);

const requestBytesMax = 256 * 1024 * 1024;
const unpack = promisify(gunzip);

/** At most so many at once; the rest wait in order. */
function createGate(places: number) {
  let free = places;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > requestBytesMax)
      throw new Refusal(
        413,
        `Code: 307. DB::Exception: The request is larger than ${requestBytesMax} bytes. (TOO_MANY_BYTES)`,
      );
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? unpack(body) : body;
}

function isAllowed(request: IncomingMessage, secret: string): boolean {
  const basic = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const fromBasic =
    basic === undefined ? undefined : Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':');
  const header = request.headers['x-clickhouse-key'];
  const given = fromBasic ?? (typeof header === 'string' ? header : '');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

const tagOf = (queryId: string): string => `/*qid:${queryId.replaceAll(/[^A-Za-z0-9-]/g, '')}*/`;

function killLater(engine: Engine, queryId: string): void {
  const admin = engine.open();
  const sql = `KILL QUERY WHERE startsWith(query, '${tagOf(queryId)}') ASYNC`;
  admin
    .queryAsync(sql)
    .catch(() => undefined)
    .finally(() => admin.close());
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // A broken answer must not look whole.
    response.destroy();
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = /^Code: (\d+)/.exec(message)?.[1] ?? '1002';
  response.statusCode = error instanceof Refusal ? error.status : 500;
  response.setHeader('X-ClickHouse-Exception-Code', code);
  response.end(`${message}\n`);
}

type Prepared = {
  readonly sql: string;
  readonly data: Buffer;
  readonly settings: URLSearchParams;
  readonly queryId: string;
};

async function prepare(request: IncomingMessage): Promise<Prepared> {
  const url = new URL(request.url ?? '/', 'http://lake');
  const body = await readBody(request);
  const inUrl = url.searchParams.get('query');
  const queryId = url.searchParams.get('query_id') ?? crypto.randomUUID();
  if (inUrl === null) return { sql: body.toString('utf8'), data: Buffer.alloc(0), settings: url.searchParams, queryId };
  return { sql: inUrl, data: body, settings: url.searchParams, queryId };
}

async function answer(engine: Engine, prepared: Prepared, response: ServerResponse): Promise<void> {
  const { sql, format } = splitFormat(prepared.sql, prepared.settings.get('default_format') ?? 'TabSeparated');
  response.setHeader('X-ClickHouse-Query-Id', prepared.queryId);
  const connection = engine.open();
  let isDone = false;
  response.once('close', () => {
    if (!isDone) killLater(engine, prepared.queryId);
  });
  try {
    const insert = insertOf(prepared.sql);
    if (insert !== undefined) {
      const settings = Object.fromEntries(settingStatements(prepared.settings).map(({ name, value }) => [name, value]));
      const { rowsWritten } = await connection.insert({
        ...insert,
        values: prepared.data,
        settings: { ...settings, async_insert: '0' },
      });
      response.setHeader('X-ClickHouse-Summary', JSON.stringify({ written_rows: String(rowsWritten) }));
      response.end();
      return;
    }
    for (const { name, value } of settingStatements(prepared.settings))
      await connection.queryAsync(`SET ${name} = '${value.replaceAll(/[\\']/g, '\\$&')}'`);
    for (const statement of parameterStatements(prepared.settings)) await connection.queryAsync(statement);
    const tagged = `${tagOf(prepared.queryId)} ${sql}`;
    if (!/^\s*(?:select|with|show|describe|desc|explain|exists)\b/i.test(sql)) {
      await connection.queryAsync(tagged);
      response.end();
      return;
    }
    response.setHeader('X-ClickHouse-Format', format);
    if (wholeFormats.has(format)) {
      // The engine would end the file after each piece of a stream and begin another one.
      response.end((await connection.queryAsync(tagged, { format })).bytes());
      return;
    }
    for await (const chunk of connection.queryStream(tagged, { format })) {
      if (!response.write(chunk.raw()))
        await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
      if (response.destroyed) return;
    }
    response.end();
  } finally {
    isDone = true;
    connection.close();
  }
}

/** ClickHouse's HTTP interface, as far as its own client uses it. */
export function createLakeServer({ engine, secret }: Options): Server {
  const reads = createGate(6);
  const writes = createGate(2);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.startsWith('/ping')) return void response.end('Ok.\n');
    if (!isAllowed(request, secret))
      throw new Refusal(401, 'Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)');
    const prepared = await prepare(request);
    const gate = insertOf(prepared.sql) === undefined ? reads : writes;
    await gate(() => answer(engine, prepared, response));
    return undefined;
  };
  return createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    serve(request, response).catch((error: unknown) => fail(response, error));
  });
}
