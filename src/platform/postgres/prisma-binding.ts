import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.ts';

/** The typed client without its own transactions and connection handling: both belong to `Database`. */
export type TypedModels = Omit<PrismaClient, `$${string}`>;

/**
 * A pool of exactly one connection that is already inside a transaction. Prisma asks a pool for connections;
 * handing it this one makes its queries part of our transaction, and keeps its query batching (which joins
 * `findUnique` calls of one tick) from ever mixing two tenants.
 */
class SingleConnectionPool extends pg.Pool {
  readonly #connection: pg.PoolClient;

  constructor(connection: pg.PoolClient) {
    super({ max: 1 });
    this.#connection = connection;
    // Prisma calls `pool.query(config)`; the overloads of pg are narrowed to the one form it uses.
    this.query = ((config: pg.QueryConfig) => this.#connection.query(config)) as typeof this.query;
    this.connect = (() => {
      throw new Error('Nested transactions are not available: split the write, or use tx.query.');
    }) as typeof this.connect;
  }

  override async end(): Promise<void> {}
}

const clients = new WeakMap<pg.PoolClient, PrismaClient>();

/** The Prisma client of a pooled connection; made once per connection, usable only between its BEGIN and COMMIT. */
export function modelsOf(connection: pg.PoolClient): TypedModels {
  const known = clients.get(connection);
  if (known) return known;
  const client = new PrismaClient({ adapter: new PrismaPg(new SingleConnectionPool(connection)) });
  clients.set(connection, client);
  return client;
}
