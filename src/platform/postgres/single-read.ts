import pg from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { typeParsers } from './type-parsers.ts';

/** What this file uses of the driver's connection: messages of the extended query protocol. */
type Wire = {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { readonly name: string; readonly text: string }): void;
  bind(message: {
    readonly statement: string;
    readonly values: readonly unknown[];
    readonly valueMapper: (value: unknown) => unknown;
  }): void;
  describe(message: { readonly type: 'P' }): void;
  execute(message: object): void;
  close(message: { readonly type: 'S'; readonly name: string }): void;
  sync(): void;
};

type Column = { readonly name: string; readonly parse: (text: string) => unknown };
type Statement = { readonly name: string; columns?: readonly Column[] };
type Row = Record<string, unknown>;
type Described = { readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[] };

/** Statements that one connection keeps prepared; the one unused for longest goes first. */
const preparedMax = 64;

/** What a connection has prepared by text, and the names of what it no longer needs. */
type Prepared = { readonly statements: Map<string, Statement>; readonly unneeded: string[]; named: number };

const preparedBy = new WeakMap<Wire, Prepared>();

function preparedOf(wire: Wire): Prepared {
  const known = preparedBy.get(wire);
  if (known !== undefined) return known;
  const fresh: Prepared = { statements: new Map(), unneeded: [], named: 0 };
  preparedBy.set(wire, fresh);
  return fresh;
}

/** After an error it is not known which statements were prepared: all are prepared anew under other names. */
function forgetAll(wire: Wire): void {
  const { statements, unneeded } = preparedOf(wire);
  for (const { name } of statements.values()) unneeded.push(name);
  statements.clear();
}

/** Finds a statement or prepares it, together with what follows on the wire. */
function statementOf(wire: Wire, prepared: Prepared, text: string): Statement {
  const { statements, unneeded } = prepared;
  const known = statements.get(text);
  if (known !== undefined) {
    statements.delete(text);
    statements.set(text, known);
    return known;
  }
  prepared.named += 1;
  const fresh: Statement = { name: `read_${prepared.named}` };
  statements.set(text, fresh);
  wire.parse({ name: fresh.name, text });
  const [oldest] = statements;
  if (statements.size > preparedMax && oldest !== undefined) {
    statements.delete(oldest[0]);
    unneeded.push(oldest[1].name);
  }
  return fresh;
}

const columnsOf = ({ fields }: Described): readonly Column[] =>
  fields.map(({ name, dataTypeID }) => ({ name, parse: typeParsers.getTypeParser(dataTypeID, 'text') }));

/**
 * A statement that reads, and before it one that sets what the transaction may see, both up to one Sync: Postgres runs
 * them as one transaction that is over with them. When the first fails the second is not run. Both stay prepared on
 * their connection, and what rows look like is asked for once.
 */
class SingleRead extends pg.Query {
  readonly #texts: readonly [scope: string, statement: string];
  readonly #values: readonly [scope: readonly unknown[], statement: readonly unknown[]];
  readonly #answer: PromiseWithResolvers<readonly Row[]>;
  readonly #rows: Row[] = [];
  #statement: Statement | undefined;
  #error: unknown;

  constructor(
    texts: readonly [string, string],
    values: readonly [readonly unknown[], readonly unknown[]],
    answer: PromiseWithResolvers<readonly Row[]>,
  ) {
    super('');
    this.#texts = texts;
    this.#values = values;
    this.#answer = answer;
  }

  override submit = (connection: unknown): void => {
    const wire = connection as Wire;
    const prepared = preparedOf(wire);
    wire.stream.cork();
    try {
      for (const name of prepared.unneeded.splice(0)) wire.close({ type: 'S', name });
      for (const [index, text] of this.#texts.entries()) {
        this.#statement = statementOf(wire, prepared, text);
        wire.bind({ statement: this.#statement.name, values: this.#values[index] ?? [], valueMapper: prepareValue });
        if (index === 1 && this.#statement.columns === undefined) wire.describe({ type: 'P' });
        wire.execute({});
      }
    } catch (error) {
      this.#error = error;
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
  };

  handleRowDescription(description: Described): void {
    if (this.#statement !== undefined) this.#statement.columns = columnsOf(description);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: Row = {};
    const columns = this.#statement?.columns ?? [];
    try {
      for (let index = 0; index < columns.length; index += 1) {
        const column = columns[index] as Column;
        const text = fields[index] ?? null;
        row[column.name] = text === null ? null : column.parse(text);
      }
      this.#rows.push(row);
    } catch (error) {
      this.#error ??= error;
    }
  }

  handleCommandComplete(): void {}

  handleEmptyQuery(): void {}

  handleError(error: unknown, connection: Wire): void {
    forgetAll(connection);
    this.#answer.reject(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === undefined) this.#answer.resolve(this.#rows);
    else this.#answer.reject(this.#error);
  }
}

/** What a transaction may see, set for as long as it lasts; nothing in it can write. Gives no row. */
export type Scope = { readonly text: string; readonly values: readonly unknown[] };

export const tenantScope = (tenantId: string): Scope => ({
  text: "SELECT WHERE set_config('app.tenant', $1, true) || set_config('transaction_read_only', 'on', true) IS NULL",
  values: [tenantId],
});

export const systemScope: Scope = {
  text: "SELECT WHERE set_config('role', 'margay_system', true) || set_config('transaction_read_only', 'on', true) IS NULL",
  values: [],
};

/** Told when a prepared statement is no longer there or its table was changed under it: once more and it is right. */
const staleCodes: ReadonlySet<string | undefined> = new Set(['26000', '0A000']);

/** The rows of one statement, read on this connection within the scope. */
export async function readSingle(
  connection: pg.PoolClient,
  scope: Scope,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const read = (): Promise<readonly Row[]> => {
    const answer = Promise.withResolvers<readonly Row[]>();
    connection.query(new SingleRead([scope.text, text], [scope.values, values], answer));
    return answer.promise;
  };
  try {
    return await read();
  } catch (error) {
    if (error instanceof pg.DatabaseError && staleCodes.has(error.code)) return read();
    throw error;
  }
}
