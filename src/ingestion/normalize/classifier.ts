import { isJsonObject, parseJson } from '#platform/json';
import type { CompiledSchema, Decoded } from '../schemas/compiled-schema.ts';

export type Classified =
  | {
      readonly kind: 'event';
      readonly logType: string;
      readonly decoded: Decoded;
      readonly more?: readonly Decoded[];
    }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'unclassified';
      readonly reason: string;
      readonly tried: readonly { readonly schema: string; readonly reason: string }[];
    };

type Result = ReturnType<ReturnType<CompiledSchema['forBatch']>['decodeJson']>;

type Candidate = {
  readonly schema: CompiledSchema;
  readonly reader: ReturnType<CompiledSchema['forBatch']>;
  penalty: number;
  /** What `closerThan` says of it, once it was asked. */
  closer: readonly Candidate[] | undefined;
};

/** Records that are not JSON are long here; a reason quotes the start only. */
const textMax = 200;

/** Schemas that require all that this one does and more, those that require most first. */
function closerThan({ schema }: Candidate, candidates: readonly Candidate[]): readonly Candidate[] {
  const own = schema.requiredKeys;
  if (own === undefined) return [];
  const sizeOf = (candidate: Candidate): number => candidate.schema.requiredKeys?.size ?? 0;
  return candidates
    .filter((other) => sizeOf(other) > own.size && other.schema.requiredKeys?.isSupersetOf(own))
    .toSorted((a, b) => sizeOf(b) - sizeOf(a));
}

type Fit = { readonly candidate: Candidate; readonly result: Exclude<Result, { readonly kind: 'misfit' }> };

/** The closest schema that fits too: what has all keys of a narrower type is one. */
function closest(fit: Fit, record: unknown, candidates: readonly Candidate[]): Fit {
  const closer = (fit.candidate.closer ??= closerThan(fit.candidate, candidates));
  if (closer.length === 0 || !isJsonObject(record)) return fit;
  for (const candidate of closer) {
    if (![...(candidate.schema.requiredKeys ?? [])].every((key) => Object.hasOwn(record, key))) continue;
    const result = candidate.reader.decodeJson(record);
    if (result.kind !== 'misfit') return { candidate, result };
  }
  return fit;
}

/**
 * Tries the schemas of a source on one record after the other. The one that fits is tried first next time; each
 * failure moves a schema back, so the order follows the traffic. A record that fits two schemas, one of which requires
 * all that the other does and more, is of that one. State lives for one batch part.
 */
export function createClassifier(schemas: readonly CompiledSchema[], parseTime: Date): (record: string) => Classified {
  const candidates = schemas.map((schema): Candidate => ({
    schema,
    reader: schema.forBatch(parseTime),
    penalty: 1,
    closer: undefined,
  }));
  const reorder = (): void => void candidates.sort((a, b) => a.penalty - b.penalty);
  return (record) => {
    const tried: { schema: string; reason: string }[] = [];
    let json: { readonly value: unknown } | { readonly problem: string } | undefined;
    const parsed = () => (json ??= tryParse(record));
    for (const candidate of candidates) {
      const { schema, reader } = candidate;
      const result = schema.readsJson ? decodeJson(reader, parsed()) : reader.decodeText(record);
      if (result.kind === 'misfit') {
        tried.push({ schema: schema.name, reason: result.reason });
        candidate.penalty += 1;
        continue;
      }
      const fit = closest(
        { candidate, result },
        json !== undefined && 'value' in json ? json.value : undefined,
        candidates,
      );
      const wasFirst = candidates[0] === fit.candidate;
      fit.candidate.penalty = 0;
      if (!wasFirst) reorder();
      return fit.result.kind === 'event' ? { ...fit.result, logType: fit.candidate.schema.name } : fit.result;
    }
    if (tried.length > 1) reorder();
    return { kind: 'unclassified', reason: summarize(tried, record), tried };
  };
}

function decodeJson(reader: Candidate['reader'], parsed: { readonly value: unknown } | { readonly problem: string }) {
  return 'value' in parsed ? reader.decodeJson(parsed.value) : ({ kind: 'misfit', reason: parsed.problem } as const);
}

function tryParse(record: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: parseJson(record) };
  } catch (error) {
    return { problem: `the record is not JSON: ${error instanceof Error ? error.message.slice(0, textMax) : ''}` };
  }
}

function summarize(tried: readonly { readonly schema: string; readonly reason: string }[], record: string): string {
  if (tried.length === 0) return 'the source has no log types';
  const reasons = tried.map(({ schema, reason }) => `${schema}: ${reason}`).join('; ');
  return `${reasons} (the record begins ${JSON.stringify(record.slice(0, 60))})`.slice(0, 2000);
}
