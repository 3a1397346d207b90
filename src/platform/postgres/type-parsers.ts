import pg from 'pg';

/** Reading rows costs more than anything else of a short query: the forms that nearly all values have are read directly. */

const oids = { timestamptz: 1184, textArray: 1009 } as const;

const slowTimestamp: (text: string) => unknown = pg.types.getTypeParser(oids.timestamptz);
const slowTextArray: (text: string) => unknown = pg.types.getTypeParser(oids.textArray as number);

const utc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;

/** A moment; a time zone other than UTC, infinity and years beyond four digits go the long way. */
export const parseTimestamp = (text: string): unknown =>
  utc.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : slowTimestamp(text);

/** Elements that need no quotes are what stands between commas; `NULL` could be no text at all. */
export function parseTextArray(text: string): unknown {
  if (text === '{}') return [];
  if (text.includes('"') || text.includes('\\') || text.includes('{', 1) || /NULL/i.test(text))
    return slowTextArray(text);
  return text.slice(1, -1).split(',');
}

const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [oids.timestamptz, parseTimestamp],
  [oids.textArray, parseTextArray],
]);

/** Parsers of a connection: ours where there is one, else those of the driver. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format ?? 'text') === 'text'
      ? (parsers.get(oid) ?? pg.types.getTypeParser(oid, 'text'))
      : pg.types.getTypeParser(oid, 'binary')) as pg.CustomTypesConfig['getTypeParser'],
};
