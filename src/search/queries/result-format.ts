import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { ResultColumn } from './lake-query.ts';
import type { ResultRow } from './result-store.ts';

/** Pieces of a result, some rows each. */
export type RowPieces = AsyncIterable<readonly ResultRow[]>;

export const resultFormats = ['csv', 'jsonl', 'parquet'] as const;
export type ResultFormat = (typeof resultFormats)[number];

export const mediaTypes: Readonly<Record<ResultFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A text that a spreadsheet would run as a formula gets an apostrophe in front: events hold what attackers wrote. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = textOf(value);
  const harmless = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const csvLine = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;

/** RFC 4180, names in the first line; lists and objects as JSON. */
async function* toCsv(columns: readonly ResultColumn[], pieces: RowPieces): AsyncIterable<Uint8Array> {
  yield Buffer.from(csvLine(columns.map(({ name }) => name)));
  for await (const rows of pieces) yield Buffer.from(rows.map(csvLine).join(''));
}

/** One JSON object a line, every value exact. */
async function* toJsonLines(columns: readonly ResultColumn[], pieces: RowPieces): AsyncIterable<Uint8Array> {
  const line = (row: ResultRow): string =>
    `${JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))}\n`;
  for await (const rows of pieces) yield Buffer.from(rows.map(line).join(''));
}

const whole = /^-?\d{1,19}$/;
const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

function toInteger(value: unknown): bigint | null {
  if (!whole.test(String(value))) return null;
  const number = BigInt(String(value));
  return number >= smallest && number <= largest ? number : null;
}

function toTime(value: unknown): Date | null {
  const time = new Date(`${String(value).replace(' ', 'T')}${/\d\d:\d\d/.test(String(value)) ? 'Z' : ''}`);
  return Number.isNaN(time.getTime()) ? null : time;
}

type Held = { readonly element: Omit<SchemaElement, 'name'>; readonly convert: (value: unknown) => unknown };

/** How Parquet holds a column. What has no type of its own there is JSON text. */
function heldAs({ type }: ResultColumn): Held {
  switch (type.kind) {
    case 'integer':
      return { element: { type: 'INT64' }, convert: toInteger };
    case 'float':
      return { element: { type: 'DOUBLE' }, convert: Number };
    case 'boolean':
      return { element: { type: 'BOOLEAN' }, convert: Boolean };
    case 'timestamp':
    case 'date':
      return { element: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }, convert: toTime };
    case 'string':
    case 'interval':
    case 'null':
      return { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, convert: textOf };
    case 'array':
    case 'object':
    case 'variant':
      return {
        element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
        convert: (value) => JSON.stringify(value),
      };
  }
}

/** Rows of one group: enough for columns to compress, few enough to hold. */
const rowsPerGroup = 10_000;
const bytesPerGroup = 16 * 1024 * 1024;

/** A file of row groups, given away group by group. */
async function* toParquet(columns: readonly ResultColumn[], pieces: RowPieces): AsyncIterable<Uint8Array> {
  const writer = new ByteWriter();
  const take = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const held = columns.map(heldAs);
  const schema = [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name }, index) => ({ name, ...held[index]?.element, repetition_type: 'OPTIONAL' as const })),
  ];
  const file = new ParquetWriter({ writer, schema, createdBy: 'margay' });
  let waiting: unknown[][] = columns.map(() => []);
  let [rows, bytes] = [0, 0];
  const flush = async (): Promise<Uint8Array> => {
    await file.write({
      columnData: columns.map(({ name }, index) => ({ name, data: waiting[index] ?? [] })),
      rowGroupSize: rows,
    });
    waiting = columns.map(() => []);
    [rows, bytes] = [0, 0];
    return take();
  };
  for await (const piece of pieces) {
    for (const row of piece)
      for (const [index, value] of row.entries()) {
        waiting[index]?.push(value === null || value === undefined ? null : held[index]?.convert(value));
        bytes += typeof value === 'string' ? value.length : 8;
      }
    rows += piece.length;
    if (rows >= rowsPerGroup || bytes >= bytesPerGroup) yield await flush();
  }
  if (rows > 0) yield await flush();
  await file.finish();
  yield take();
}

/** A result as the bytes of a file; never more of it in memory than a few pieces. */
export function formatResult(
  format: ResultFormat,
  columns: readonly ResultColumn[],
  pieces: RowPieces,
): AsyncIterable<Uint8Array> {
  switch (format) {
    case 'csv':
      return toCsv(columns, pieces);
    case 'jsonl':
      return toJsonLines(columns, pieces);
    case 'parquet':
      return toParquet(columns, pieces);
  }
}
