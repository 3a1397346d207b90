import type { Database, TenantTx, Tx } from '#platform/postgres';
import { alertRoomStatements } from './alert-statements.ts';
import { detectionStatements } from './detection-statements.ts';
import { batchStatements, schemaStatements, sourceStatements, workerStatements } from './ingestion-statements.ts';
import { lakeStatements, platformStatements } from './lake-statements.ts';
import { plain, type Statement } from './statement.ts';
import { type Row, type Tables, Transaction } from './transaction.ts';

/** Every statement that the model knows. */
export const allStatements: readonly Statement[] = [
  ...batchStatements,
  ...workerStatements,
  ...sourceStatements,
  ...schemaStatements,
  ...detectionStatements,
  ...lakeStatements,
  ...platformStatements,
  ...alertRoomStatements,
];

const found = new Map<string, Statement>();

/** Finds what a text of SQL means. Throws when the model does not know it: it must follow the product then. */
function statementOf(sql: string): Statement {
  const known = found.get(sql);
  if (known !== undefined) return known;
  const text = plain(sql);
  const fitting = allStatements.filter(({ contains }) => contains.every((part) => text.includes(part)));
  const [only] = fitting;
  if (only === undefined || fitting.length > 1)
    throw new Error(
      `The model of Postgres (test/simulation/model) knows ${fitting.length} statements for this text; teach it: ${text}`,
    );
  found.set(sql, only);
  return only;
}

/** How a process meets the database: each call may be late, fail, or be the last thing the process does. */
export type DatabaseWorld = {
  now(): Date;
  /** Before each statement and around each commit. Rejects when a fault is due. */
  step(what: string): Promise<void>;
  /** Calls back later in the name of the process. */
  resume(wake: () => void): void;
  /** Ends the transaction when the process dies; returns how to stop caring. */
  onDeath(end: () => void): () => void;
  notify(channels: ReadonlySet<string>): void;
  listen(channel: string, onNotice: () => void): () => void;
};

/** May stand in for a statement, or do more: mutations are made of it. */
export type Interception = (
  statement: Statement,
  call: { readonly tx: Transaction; readonly values: readonly unknown[]; readonly sql: string },
  proceed: () => Promise<readonly Row[]>,
) => Promise<readonly Row[]>;

type Options = {
  readonly tables: Tables;
  readonly world: DatabaseWorld;
  readonly intercept?: Interception | undefined;
};

async function runStatement({ world, intercept }: Options, tx: Transaction, sql: string, values: readonly unknown[]) {
  const statement = statementOf(sql);
  await world.step(statement.name);
  const proceed = async (): Promise<readonly Row[]> => statement.run(tx, values, sql);
  return intercept === undefined ? proceed() : intercept(statement, { tx, values, sql }, proceed);
}

async function inTransaction<T>(
  options: Options,
  tenantId: string | undefined,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { tables, world } = options;
  const transaction = new Transaction({ tables, tenantId, now: world.now(), resume: (wake) => world.resume(wake) });
  const forget = world.onDeath(() => transaction.rollback());
  const tx: Tx = {
    query: async (sql, values = []) => (await runStatement(options, transaction, sql, values)) as never,
    execute: async (sql, values = []) => (await runStatement(options, transaction, sql, values)).length,
    get db(): never {
      throw new Error('The model has no typed models.');
    },
  };
  try {
    const result = await work(tx);
    // The end of a transaction that changed nothing is nothing.
    if (transaction.hasChanges) await world.step('commit');
    transaction.commit();
    world.notify(transaction.notices);
    // The answer to a commit can be lost although it happened.
    if (transaction.hasChanges) await world.step('committed');
    return result;
  } finally {
    transaction.rollback();
    forget();
  }
}

/** The product's `Database` over tables in memory. */
export function createModelDatabase(options: Options): Database {
  const { world } = options;
  return {
    withTenant: (tenantId, work) =>
      inTransaction(options, tenantId, (tx) =>
        work(Object.defineProperty(tx, 'tenantId', { value: tenantId }) as TenantTx),
      ),
    withSystem: (_reason, work) => inTransaction(options, undefined, work),
    readTenant: (tenantId) => ({
      tenantId,
      query: (sql, values) => inTransaction(options, tenantId, (tx) => tx.query(sql, values)),
    }),
    readSystem: () => ({ query: (sql, values) => inTransaction(options, undefined, (tx) => tx.query(sql, values)) }),
    async listen(channel, onNotice) {
      const stop = world.listen(channel, () => onNotice(''));
      return async () => stop();
    },
    now: async () => world.now(),
    ping: async () => undefined,
    close: async () => undefined,
  };
}
