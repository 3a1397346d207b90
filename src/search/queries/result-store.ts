import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { type ObjectStore, tenantKey } from '#platform/objects';
import { type ResultColumn, type ResultType, rowsPerPiece } from './lake-query.ts';

const pack = promisify(zstdCompress);
const unpack = promisify(zstdDecompress);

/** A row of a result: values in the order of its columns. */
export type ResultRow = readonly unknown[];
type Decode = (value: unknown) => unknown;

/** Whole numbers that a double cannot hold stay text, exact. */
const exact = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? String(value))
    : value;

const parse = (text: string): unknown => JSON.parse(text, /\d{16}/.test(text) ? exact : undefined);

function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return parse(value);
  } catch {
    return value;
  }
}

/** The engine gives JSON values as their text and truth as 0 and 1; readers get the value. */
function decoderOf(type: ResultType): Decode | undefined {
  if (type.kind === 'variant') return fromJson;
  if (type.kind === 'boolean') return (value) => (typeof value === 'number' ? value !== 0 : value);
  const element = type.kind === 'array' && type.element !== undefined ? decoderOf(type.element) : undefined;
  return element === undefined ? undefined : (value) => (Array.isArray(value) ? value.map(element) : value);
}

/** Reads lines of the engine as rows. */
export function rowDecoder(columns: readonly ResultColumn[]): (line: string) => ResultRow {
  const decoders = columns.map(({ type }) => decoderOf(type));
  return (line) => {
    const values = parse(line);
    if (!Array.isArray(values)) throw new Error('The lake answered with a line that is no row.');
    return (values as ResultRow).map((value, index) => (decoders[index] ?? ((same) => same))(value));
  };
}

const pieceKey = (tenantId: string, queryId: string, piece: number): string =>
  tenantKey(tenantId, 'results', queryId, `${String(piece).padStart(6, '0')}.ndjson.zst`);

/** Stores one piece: lines as the engine wrote them. Every piece but the last has `rowsPerPiece` lines. */
export async function putPiece(
  objects: ObjectStore,
  tenantId: string,
  queryId: string,
  piece: number,
  lines: readonly string[],
): Promise<void> {
  const bytes = await pack(Buffer.from(lines.join('\n')), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  await objects.put(pieceKey(tenantId, queryId, piece), bytes);
}

type Slice = {
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly offset: number;
  readonly size: number;
};

/** Rows of a result from a place on. Only the pieces that hold them are read. */
export async function readSlice(
  objects: ObjectStore,
  tenantId: string,
  { queryId, columns, offset, size }: Slice,
): Promise<readonly ResultRow[]> {
  const decode = rowDecoder(columns);
  const rows: ResultRow[] = [];
  for (let piece = Math.floor(offset / rowsPerPiece); rows.length < size; piece++) {
    const skip = rows.length === 0 ? offset - piece * rowsPerPiece : 0;
    const bytes = await unpack(await objects.get(pieceKey(tenantId, queryId, piece)));
    const lines = bytes.toString('utf8').split('\n');
    rows.push(...lines.slice(skip, skip + size - rows.length).map(decode));
    if (lines.length < rowsPerPiece) break;
  }
  return rows;
}

/** All rows of a result in order, piece by piece; the next piece is read when it is asked for. */
export async function* readPieces(
  objects: ObjectStore,
  tenantId: string,
  { queryId, columns, rowCount }: Pick<Slice, 'queryId' | 'columns'> & { readonly rowCount: number },
): AsyncIterable<readonly ResultRow[]> {
  const decode = rowDecoder(columns);
  for (let piece = 0; piece * rowsPerPiece < rowCount; piece++) {
    const bytes = await unpack(await objects.get(pieceKey(tenantId, queryId, piece)));
    yield bytes.toString('utf8').split('\n').map(decode);
  }
}

/** Deletes what a query left. */
export async function deleteResult(objects: ObjectStore, tenantId: string, queryId: string): Promise<void> {
  const keys = await objects.list(`${tenantKey(tenantId, 'results', queryId)}/`, { limit: 10_000 });
  for (const key of keys) await objects.delete(key);
}
