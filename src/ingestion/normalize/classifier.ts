import { parseJson } from '#platform/json';
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

type Candidate = {
  readonly schema: CompiledSchema;
  readonly reader: ReturnType<CompiledSchema['forBatch']>;
  penalty: number;
};

/** Records that are not JSON are long here; a reason quotes the start only. */
const textMax = 200;

/**
 * Tries the schemas of a source on one record after the other. The one that fits is tried first next time; each
 * failure moves a schema back, so the order follows the traffic. State lives for one batch part.
 */
export function createClassifier(schemas: readonly CompiledSchema[], parseTime: Date): (record: string) => Classified {
  const candidates: Candidate[] = schemas.map((schema) => ({
    schema,
    reader: schema.forBatch(parseTime),
    penalty: 1,
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
      const wasFirst = candidates[0] === candidate;
      candidate.penalty = 0;
      if (!wasFirst) reorder();
      return result.kind === 'event' ? { ...result, logType: schema.name } : result;
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
