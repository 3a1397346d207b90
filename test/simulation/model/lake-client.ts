import { DomainError } from '#platform/errors';
import { type LakeClient, RowsRefused } from '#platform/lake-client';

export type LakeRow = Readonly<Record<string, unknown>>;
type LakeTableState = {
  readonly columns: Set<string>;
  readonly rows: { readonly text: string; readonly row: LakeRow }[];
  readonly tokens: Set<string>;
};

/** Tables of the lake: rows are only added, and a token that was seen adds nothing. */
export class LakeState {
  readonly tables = new Map<string, LakeTableState>();

  rowsOf(table: string): readonly { readonly text: string; readonly row: LakeRow }[] {
    return this.tables.get(table)?.rows ?? [];
  }

  run(sql: string): void {
    const name = /^(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE) (`[^`]+`\.`[^`]+`)/.exec(sql)?.[1];
    if (name === undefined) return;
    const known = this.tables.get(name) ?? { columns: new Set(), rows: [], tokens: new Set() };
    const columns = [...sql.matchAll(/(?:^ {2}|ADD COLUMN IF NOT EXISTS )`([^`]+)` /gm)].flatMap(
      ([, column = '']) => column,
    );
    for (const column of columns) known.columns.add(column);
    this.tables.set(name, known);
  }

  insert(name: string, ndjson: Buffer, token: string): void {
    const table = this.tables.get(name);
    if (table === undefined) throw new Error(`The lake has no table ${name}.`);
    const texts = ndjson
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    const added = texts.map((text) => ({ text, row: JSON.parse(text) as LakeRow }));
    for (const { row } of added) {
      const unknown = Object.keys(row).find((column) => !table.columns.has(column));
      if (unknown !== undefined) throw new RowsRefused(`Unknown field ${unknown}`);
      if (row['refused'] === true) throw new RowsRefused('Cannot parse the value of refused');
    }
    if (table.tokens.has(token)) return;
    table.tokens.add(token);
    table.rows.push(...added);
  }
}

type Step = (what: string) => Promise<void>;

const away = (cause: unknown): DomainError =>
  new DomainError('unavailable', { publicMessage: 'The data lake did not answer.', retryable: true, cause });

/** The product's `LakeClient` over tables in memory, as far as writing goes: the simulation reads the tables itself. */
export function createModelLakeClient(lake: LakeState, step: Step): LakeClient {
  const reached = (what: string): Promise<void> =>
    step(what).catch((error: unknown) => {
      throw away(error);
    });
  const writer: Pick<LakeClient, 'command' | 'insert' | 'ping' | 'close'> = {
    async command(sql) {
      await reached(`lake: ${sql.slice(0, 60)}`);
      lake.run(sql);
      await reached('lake: done');
    },
    async insert(table, ndjson, token) {
      await reached(`insert into ${table}`);
      lake.insert(table, ndjson, token);
      await reached(`inserted into ${table}`);
    },
    ping: async () => true,
    close: async () => undefined,
  };
  return writer as LakeClient;
}
