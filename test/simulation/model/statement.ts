import type { Row, Transaction } from './transaction.ts';

export type Values = readonly unknown[];

/** A statement of the product, and what it does to the tables of the model. */
export type Statement = {
  readonly name: string;
  /** Texts that the statement contains, spaces made equal; all of them, and no other known statement does. */
  readonly contains: readonly string[];
  /** Returns the rows that the statement answers with or changes. */
  run(tx: Transaction, values: Values, sql: string): Promise<readonly Row[]> | readonly Row[];
};

export const statement = (name: string, contains: readonly string[], run: Statement['run']): Statement => ({
  name,
  contains,
  run,
});

export const plain = (sql: string): string => sql.replaceAll(/\s+/g, ' ').trim();

export const at = (values: Values, place: number): unknown => values[place - 1];
export const textAt = (values: Values, place: number): string => String(values[place - 1]);
export const numberAt = (values: Values, place: number): number => Number(values[place - 1]);
export const dateAt = (values: Values, place: number): Date => new Date(values[place - 1] as Date);
export const listAt = (values: Values, place: number): readonly string[] => values[place - 1] as readonly string[];
export const jsonAt = (values: Values, place: number): unknown => JSON.parse(textAt(values, place));

export const time = (value: unknown): number => (value instanceof Date ? value.getTime() : -Infinity);
export const secondsAfter = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** Orders by columns, each ascending, nulls first. */
export const by =
  (...columns: readonly string[]) =>
  (a: Row, b: Row): number => {
    for (const column of columns) {
      const x = comparable(a[column]);
      const y = comparable(b[column]);
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };

function comparable(value: unknown): string | number {
  if (value instanceof Date) return value.getTime();
  if (value === null || value === undefined) return -Infinity;
  return typeof value === 'number' ? value : (value as string);
}

type Source = (values: Values, now: Date) => unknown;
const parsedInserts = new Map<string, { readonly table: string; readonly columns: readonly [string, Source][] }>();

function sourceOf(expression: string): Source {
  const place = /^\$(\d+)$/.exec(expression)?.[1];
  if (place !== undefined) return (values) => values[Number(place) - 1];
  const text = /^'(.*)'$/.exec(expression)?.[1];
  if (text !== undefined) return () => text;
  if (expression === 'now()') return (_values, now) => now;
  if (expression === 'NULL') return () => null;
  if (/^\d+$/.test(expression)) return () => Number(expression);
  throw new Error(`The model cannot read the value ${expression}.`);
}

/** The row of an `INSERT … VALUES`, by the names the statement gives, so that a new column needs no change here. */
export function insertedRow(sql: string, values: Values, now: Date): { readonly table: string; readonly row: Row } {
  let parsed = parsedInserts.get(sql);
  if (parsed === undefined) {
    const found = /^INSERT INTO (\w+) \(([^)]*)\) VALUES \(((?:[^()]|\(\))*)\)/.exec(plain(sql));
    if (found === null) throw new Error(`The model cannot read: ${plain(sql)}`);
    const names = (found[2] ?? '').split(',').map((name) => name.trim());
    const sources = (found[3] ?? '').split(',').map((text) => sourceOf(text.trim()));
    const columns = names.map((name, index): [string, Source] => [name, sources[index] ?? (() => null)]);
    parsedInserts.set(sql, (parsed = { table: found[1] ?? '', columns }));
  }
  return {
    table: parsed.table,
    row: Object.fromEntries(parsed.columns.map(([name, source]) => [name, source(values, now)])),
  };
}

/** A row with the named columns read as JSON. */
export function withJson(row: Row, ...columns: readonly string[]): Row {
  const parsed = columns.map((name) => [name, typeof row[name] === 'string' ? JSON.parse(row[name]) : row[name]]);
  return { ...row, ...Object.fromEntries(parsed) };
}
