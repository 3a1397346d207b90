import type { LakeClient } from '#platform/lake-client';
import { engineSettings, type QueryLimits } from '../fence/limits.ts';
import type { ColumnOut } from '../plan/plan.ts';
import type { PrintedQuery } from '../print/print-query.ts';
import type { SqlType } from '../plan/type.ts';

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

/** The engine gives JSON values as their text; readers get the value. */
function decoderOf(type: SqlType): Decode | undefined {
  if (type.kind === 'variant') return fromJson;
  // Comparisons of the engine give 0 and 1.
  if (type.kind === 'boolean') return (value) => (typeof value === 'number' ? value !== 0 : value);
  if (type.kind !== 'array') return undefined;
  const element = decoderOf(type.element);
  return element === undefined ? undefined : (value) => (Array.isArray(value) ? value.map(element) : value);
}

/** Reads lines of the engine as rows. */
function rowDecoder(columns: readonly ColumnOut[]): (line: string) => ResultRow {
  const decoders = columns.map(({ type }) => decoderOf(type));
  const isPlain = decoders.every((decode) => decode === undefined);
  return (line) => {
    const values = parse(line);
    if (!Array.isArray(values)) throw new Error('The lake answered with a line that is no row.');
    return isPlain
      ? (values as ResultRow)
      : (values as ResultRow).map((value, index) => (decoders[index] ?? ((same) => same))(value));
  };
}

export type ReadOptions = { readonly queryId: string; readonly limits: QueryLimits; readonly signal: AbortSignal };

/** Rows of a printed query as they come. Throws QueryStopped with the engine's code. */
export async function* readRows(
  client: Pick<LakeClient, 'lines'>,
  printed: PrintedQuery,
  { queryId, limits, signal }: ReadOptions,
): AsyncIterable<readonly ResultRow[]> {
  const decode = rowDecoder(printed.columns);
  for await (const lines of client.lines(printed.sql, { queryId, signal, settings: engineSettings(limits) }))
    yield lines.filter((line) => line !== '').map(decode);
}
