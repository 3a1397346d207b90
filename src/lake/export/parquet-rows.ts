import { type AsyncBuffer, type FileMetaData, parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DomainError } from '#platform/errors';
import type { LakeColumn } from '../lake-table.ts';

/** An exported file is read as a stranger's: it lies where others write too. */

export const damaged = (path: string, what: string): DomainError =>
  new DomainError('conflict', {
    publicMessage: `"${path}" ${what}. Export again, or bring the file back from where it was copied to; nothing that is imported already comes twice.`,
  });

export type Row = Readonly<Record<string, unknown>> & {
  readonly p_row_id: string;
  readonly p_log_type: string;
  readonly p_event_time: Date;
  readonly p_parse_time: Date;
};

const isRow = (row: Readonly<Record<string, unknown>>): row is Row =>
  typeof row['p_row_id'] === 'string' &&
  row['p_row_id'] !== '' &&
  typeof row['p_log_type'] === 'string' &&
  row['p_event_time'] instanceof Date &&
  row['p_parse_time'] instanceof Date;

type ParquetFile = {
  readonly path: string;
  readonly file: ArrayBuffer & AsyncBuffer;
  readonly metadata: FileMetaData;
};

const unreadable = (path: string, error: unknown): DomainError =>
  damaged(path, `is no Parquet file that can be read (${error instanceof Error ? error.message : String(error)})`);

/** Throws DomainError `conflict` for bytes that are no whole Parquet file. */
export function openParquet(path: string, bytes: Buffer): ParquetFile {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer & AsyncBuffer;
  try {
    return { path, file, metadata: parquetMetadata(file) };
  } catch (error) {
    throw unreadable(path, error);
  }
}

export const columnsOf = ({ metadata }: ParquetFile): readonly string[] =>
  parquetSchema(metadata).children.map(({ element }) => element.name);

/** Rows of a file, as many at once as it has in a group. */
export async function* rowGroups({ path, file, metadata }: ParquetFile): AsyncIterable<readonly Row[]> {
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors }).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (!rows.every(isRow)) throw damaged(path, 'holds rows without id, times or log type');
    yield rows;
    rowStart = rowEnd;
  }
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  return JSON.stringify(value ?? null);
}

/** JSON text goes on as it was written, in one line, once it is known to be one value and nothing beside it. */
function jsonText(path: string, name: string, value: unknown): string {
  try {
    const text = String(value);
    JSON.parse(text);
    return text.replaceAll(/[\r\n]/g, ' ');
  } catch {
    throw damaged(path, `holds something that is no JSON in the column "${name}"`);
  }
}

/** Objects are JSON text in the file and objects in the lake; everything else is what it looks like. */
function fieldOf(path: string, { name, type, element }: LakeColumn, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  const isObjects = type === 'array' && element === 'object' && Array.isArray(value);
  const isObject = type === 'object' && typeof value === 'string';
  const inside = (part: unknown): string => jsonText(path, name, part);
  const text = isObjects ? `[${value.map(inside).join(',')}]` : isObject ? inside(value) : jsonOf(value);
  return `${JSON.stringify(name)}:${text}`;
}

/** A row as the lake takes it. Throws DomainError `conflict` for text that would be more than the value of its column. */
export const lineOf = (path: string, columns: readonly LakeColumn[], row: Row): string =>
  `{${columns
    .map((column) => fieldOf(path, column, row[column.name]))
    .filter((field) => field !== undefined)
    .join(',')}}\n`;
