import pg from 'pg';
import { isUuid } from '#platform/ids';
import type { Log } from '#platform/log';
import { modelsOf, type TypedModels } from './prisma-binding.ts';
import { readSingle, type Scope, systemScope, tenantScope } from './single-read.ts';
import { typeParsers } from './type-parsers.ts';

/** One transaction on one connection. Both ways of querying see and change the same state. */
export type Tx = {
  /** Bound SQL: values are `$1`, `$2` … and are never concatenated into the text. Returns the rows. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Like `query`, for statements of which only the number of rows matters. */
  execute(sql: string, values?: readonly unknown[]): Promise<number>;
  /** Typed models of `prisma/`, on the same connection and in the same transaction. */
  readonly db: TypedModels;
};

/** A transaction that sees one tenant's rows only: row-level security is the guard, not the WHERE clause. */
export type TenantTx = Tx & { readonly tenantId: string };

/** Statements that only read, each in a transaction of its own. */
export type Reader = Pick<Tx, 'query'>;

/** The same, for the rows of one tenant. */
export type TenantReader = Pick<TenantTx, 'query' | 'tenantId'>;

export type Database = {
  /** Runs the work in one transaction as the application role with `app.tenant` set to the tenant. */
  withTenant<T>(tenantId: string, work: (tx: TenantTx) => Promise<T>): Promise<T>;
  /** Work for no tenant or for all: says by name why. Runs as the role `margay_system`. */
  withSystem<T>(reason: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** For work of a single statement that reads: its transaction is sent in one go. */
  readTenant(tenantId: string): TenantReader;
  /** The same for no tenant or for all: says by name why. */
  readSystem(reason: string): Reader;
  /** Calls back on each NOTIFY of the channel, reconnecting by itself; callers poll as well, since notices can be lost. */
  listen(channel: string, onNotice: (payload: string) => void): Promise<() => Promise<void>>;
  ping(): Promise<void>;
  /** The server's clock, which all processes of a deployment share. */
  now(): Promise<Date>;
  close(): Promise<void>;
};

type Options = { readonly url: string; readonly connectionsMax: number; readonly log: Log };

/**
 * A connection that broke, or whose COMMIT or ROLLBACK was rejected (`spoil`), is in an unknown state and does not
 * return to the pool. It may break while the work does something else, when no query is there to tell of it.
 */
async function onConnection<T>(
  pool: pg.Pool,
  work: (connection: pg.PoolClient, spoil: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect();
  let broken: Error | undefined;
  const spoil = (reason: unknown): void => {
    broken = reason instanceof Error ? reason : new Error(String(reason));
  };
  connection.on('error', spoil);
  try {
    return await work(connection, spoil);
  } finally {
    connection.off('error', spoil);
    connection.release(broken);
  }
}

const inTransaction = <T>(pool: pg.Pool, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
  onConnection(pool, async (connection, spoil) => {
    const tx: Tx = {
      query: async (sql, values) => (await connection.query(sql, [...(values ?? [])])).rows,
      execute: async (sql, values) => (await connection.query(sql, [...(values ?? [])])).rowCount ?? 0,
      get db() {
        return modelsOf(connection);
      },
    };
    // Sent together with the first statement of the work, which fails with it: the transaction is then aborted.
    const begun = connection.query(begin);
    begun.catch(() => undefined);
    try {
      const result = await work(tx);
      await begun;
      // Work that swallowed the error of a statement ends here as if all were well; Postgres answers ROLLBACK to that.
      const { command } = await connection.query('COMMIT');
      if (command !== 'COMMIT')
        throw new Error('The transaction was aborted by a statement whose error was not passed on.');
      return result;
    } catch (error) {
      const cause: unknown = await begun.then(
        () => error,
        (reason: unknown) => reason,
      );
      await connection.query('ROLLBACK').catch(spoil);
      throw cause;
    }
  });

const reader = (pool: pg.Pool, scope: Scope): Reader => ({
  query: <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
    onConnection(pool, (connection) => readSingle(connection, scope, sql, values) as Promise<readonly Row[]>),
});

function assertTenant(tenantId: string): string {
  if (!isUuid(tenantId)) throw new Error('A tenant id is a lower-case UUID.');
  return tenantId;
}

function assertReason(reason: string): void {
  if (reason.length < 8) throw new Error('System work says why, in words.');
}

async function listenOn(options: Options, channel: string, onNotice: (payload: string) => void) {
  if (!/^[a-z_]+$/.test(channel)) throw new Error(`Not a channel name: ${channel}`);
  let client: pg.Client | undefined;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const retryLater = () => {
    client = undefined;
    if (!isClosed) timer ??= setTimeout(() => void connect(), 1000);
  };
  const connect = async () => {
    timer = undefined;
    const fresh = new pg.Client({ connectionString: options.url, application_name: `listen ${channel}` });
    fresh.on('error', retryLater);
    fresh.on('end', retryLater);
    fresh.on('notification', (notice) => onNotice(notice.payload ?? ''));
    try {
      await fresh.connect();
      await fresh.query(`LISTEN ${channel}`);
      client = fresh;
      onNotice('');
    } catch (error) {
      options.log.warn('listen_failed', { channel, error });
      await fresh.end().catch(() => undefined);
      retryLater();
    }
  };
  await connect();
  return async () => {
    isClosed = true;
    clearTimeout(timer);
    await client?.end();
  };
}

/** Opens a pool as the application role. Connections are made when needed, so an unreachable server shows at first use. */
export function openDatabase(options: Options): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    pipeline: true,
    types: typeParsers,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
  });
  pool.on('error', (error) => options.log.warn('postgres_connection_lost', { error }));
  return {
    withTenant: (tenantId, work) =>
      inTransaction(pool, `BEGIN; SET LOCAL app.tenant = '${assertTenant(tenantId)}'`, (tx) =>
        work(Object.defineProperty(tx, 'tenantId', { value: tenantId }) as TenantTx),
      ),
    withSystem: (reason, work) => {
      assertReason(reason);
      return inTransaction(pool, 'BEGIN; SET LOCAL ROLE margay_system', work);
    },
    readTenant(tenantId) {
      return { tenantId, ...reader(pool, tenantScope(assertTenant(tenantId))) };
    },
    readSystem(reason) {
      assertReason(reason);
      return reader(pool, systemScope);
    },
    listen: (channel, onNotice) => listenOn(options, channel, onNotice),
    async ping() {
      await pool.query('SELECT 1');
    },
    async now() {
      const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      return rows[0]?.now ?? new Date();
    },
    close: () => pool.end(),
  };
}

/** True when other rows need the one that was to be deleted (SQLSTATE 23503). */
export const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '23503';

/** True when the error is a unique violation (SQLSTATE 23505), of this constraint if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code !== '23505') return false;
  return constraint === undefined || error.constraint === constraint;
}
