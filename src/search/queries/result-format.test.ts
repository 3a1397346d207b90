import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import type { ResultColumn } from './lake-query.ts';
import { formatResult, type ResultFormat } from './result-format.ts';
import type { ResultRow } from './result-store.ts';

const columns: readonly ResultColumn[] = [
  { name: 'p_event_time', type: { kind: 'timestamp' } },
  { name: 'n', type: { kind: 'integer' } },
  { name: 'ratio', type: { kind: 'float' } },
  { name: 'ok', type: { kind: 'boolean' } },
  { name: 'note', type: { kind: 'string' } },
  { name: 'extra', type: { kind: 'variant' } },
  { name: 'tags', type: { kind: 'array', element: { kind: 'string' } } },
];
const rows: readonly ResultRow[] = [
  ['2026-06-15 11:50:00.123', '9007199254740993', 0.5, true, 'a "quoted", line\nbreak', { a: [1, 'x'] }, ['x', 'y']],
  [null, -1, null, false, "=HYPERLINK('x')", null, []],
];

async function* inPieces(all: readonly ResultRow[], size: number): AsyncIterable<readonly ResultRow[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

async function bytesOf(format: ResultFormat, all = rows, size = 1): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of formatResult(format, columns, inPieces(all, size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const readParquet = (bytes: Buffer) =>
  parquetReadObjects({ file: Uint8Array.from(bytes).buffer }) as Promise<Record<string, unknown>[]>;

test('CSV quotes what it must, leaves absent values empty and starts no formula', async () => {
  expect((await bytesOf('csv')).toString()).toBe(
    [
      'p_event_time,n,ratio,ok,note,extra,tags\r\n',
      '2026-06-15 11:50:00.123,9007199254740993,0.5,true,"a ""quoted"", line\nbreak","{""a"":[1,""x""]}","[""x"",""y""]"\r\n',
      ",-1,,false,'=HYPERLINK('x'),,[]\r\n",
    ].join(''),
  );
});

test('JSON lines hold every value as it is', async () => {
  const lines = (await bytesOf('jsonl')).toString().trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]))),
  );
});

test('Parquet has typed columns, exact to 64 bits', async () => {
  expect(await readParquet(await bytesOf('parquet'))).toEqual([
    {
      p_event_time: new Date('2026-06-15T11:50:00.123Z'),
      n: 9007199254740993n,
      ratio: 0.5,
      ok: true,
      note: 'a "quoted", line\nbreak',
      extra: '{"a":[1,"x"]}',
      tags: '["x","y"]',
    },
    { p_event_time: null, n: -1n, ratio: null, ok: false, note: "=HYPERLINK('x')", extra: null, tags: '[]' },
  ]);
});

test('Parquet of many rows has many groups and every row in order', async () => {
  const many = Array.from({ length: 25_500 }, (_, n): ResultRow => [null, n, null, null, `row ${n}`, null, null]);
  const read = await readParquet(await bytesOf('parquet', many, 1000));
  expect(read.map(({ n }) => Number(n))).toEqual(many.map((_, n) => n));
});

test.each(['csv', 'jsonl', 'parquet'] as const)('a result without rows is a whole %s file', async (format) => {
  const bytes = await bytesOf(format, []);
  if (format === 'parquet') expect(await readParquet(bytes)).toEqual([]);
  else expect(bytes.toString()).toBe(format === 'csv' ? 'p_event_time,n,ratio,ok,note,extra,tags\r\n' : '');
});
