import type { SandboxRule, Withheld } from './sandbox-contract.ts';

/** A run of whole NDJSON lines; `first` is the number of its first record in the batch. */
export type Chunk = { readonly first: number; readonly count: number; readonly bytes: Buffer };

const newline = 0x0a;

/** Cuts NDJSON into runs that stay under both limits; a single longer line is a run of its own. Shares the memory. */
export function chunkLines(records: Buffer, linesMax: number, bytesMax: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let first = 0;
  let count = 0;
  let position = 0;
  const close = (end: number) => {
    if (count > 0) chunks.push({ first, count, bytes: records.subarray(start, end) });
    first += count;
    start = end;
    count = 0;
  };
  while (position < records.length) {
    const found = records.indexOf(newline, position);
    const end = found === -1 ? records.length : found + 1;
    if (count > 0 && (count >= linesMax || end - start > bytesMax)) close(position);
    count += 1;
    position = end;
  }
  close(records.length);
  return chunks;
}

/** By the number of a rule, the records of a chunk that it is not shown, counted from the chunk's first. */
export function withheldIn(
  { first, count }: Chunk,
  rules: readonly SandboxRule[],
  withheld: Withheld,
): readonly (readonly [number, readonly number[]])[] {
  return rules.flatMap(({ id }, number) => {
    const records = [...(withheld.get(id) ?? [])].flatMap((record) =>
      record >= first && record < first + count ? [record - first] : [],
    );
    return records.length === 0 ? [] : [[number, records] as const];
  });
}

/** The same records in two runs. */
export function halves(chunk: Chunk): readonly Chunk[] {
  return chunkLines(chunk.bytes, Math.ceil(chunk.count / 2), Number.MAX_SAFE_INTEGER).map((half) => ({
    ...half,
    first: chunk.first + half.first,
  }));
}
