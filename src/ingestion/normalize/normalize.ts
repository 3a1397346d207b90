import type { CompiledSchema, Decoded } from '../schemas/compiled-schema.ts';
import type { LogStreamOptions, LogStreamType } from '../sources/http-source.ts';
import { lines, recordsOf, type RecordRange } from '../streams/records.ts';
import { createClassifier } from './classifier.ts';
import { type RowIds, rowIdsOf } from './row-ids.ts';

export type NormalizeContext = {
  readonly tenantId: string;
  /** Batch whose records these are; for a replay the batch that first held them, so that row ids stay the same. */
  readonly batchId: string;
  /** Number of the request inside the batch. */
  readonly part: number;
  readonly sourceId: string;
  readonly sourceLabel: string;
  /** Processing time of the whole batch, from its manifest. */
  readonly parseTime: Date;
  readonly rowIds?: RowIds;
  /** Only records that begin at these offsets, when given. */
  readonly onlyOffsets?: ReadonlySet<number>;
};

export type ClassificationFailure = {
  readonly rowId: string;
  readonly part: number;
  /** Where the record lies in the unpacked request body. */
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  /** The record, cut after 16 KiB; the whole of it stays in the raw object. */
  readonly payload: string;
};

/** Rows of one log type: NDJSON, one normalized event per line, and where each came from. */
export type LogRows = { readonly logType: string; readonly rows: Buffer; readonly count: number };

export type Normalized = { readonly logs: readonly LogRows[]; readonly failures: readonly ClassificationFailure[] };

const payloadMax = 16 * 1024;

/** One buffer of several; a single one is not copied. */
export function joined(buffers: readonly Buffer[]): Buffer {
  const [first] = buffers;
  return buffers.length === 1 && first !== undefined ? first : Buffer.concat(buffers);
}

/** Gathers rows as text and turns them into bytes now and then, so that neither grows without measure. */
class RowBuilder {
  readonly #done: Buffer[] = [];
  #text = '';
  count = 0;

  add(row: string): void {
    this.#text += row;
    this.#text += '\n';
    this.count += 1;
    if (this.#text.length > 1_000_000) this.#flush();
  }

  #flush(): void {
    this.#done.push(Buffer.from(this.#text));
    this.#text = '';
  }

  finish(): Buffer {
    this.#flush();
    return joined(this.#done);
  }
}

/** Writes the standard fields of an event behind its own; what is the same for all records of a batch is made once. */
function createRowWriter(context: NormalizeContext) {
  const parseTime = JSON.stringify(context.parseTime.toISOString());
  const source = `,"p_parse_time":${parseTime},"p_source_id":${JSON.stringify(context.sourceId)},"p_source_label":${JSON.stringify(context.sourceLabel)}`;
  return (logType: string, rowId: string, { fields, indicators, eventTimeMs }: Decoded): string => {
    const own = JSON.stringify(fields);
    let row = own === '{}' ? '{' : `${own.slice(0, -1)},`;
    row += `"p_log_type":${JSON.stringify(logType)},"p_row_id":"${rowId}","p_event_time":`;
    row += eventTimeMs === undefined ? parseTime : `"${new Date(eventTimeMs).toISOString()}"`;
    row += source;
    for (const [field, values] of indicators.entries()) row += `,"${field}":${JSON.stringify(values)}`;
    return `${row}}`;
  };
}

type Stream = { readonly type: LogStreamType; readonly options: LogStreamOptions };

/** Records between two stops: together a few milliseconds. */
const recordsPerStep = 100;

/**
 * Turns one unpacked request body into rows by log type, and stops now and then so that others may go on. Nothing is
 * lost: a record that fits no schema is a failure with its place and reason. The same input and context give the same
 * bytes.
 */
export function* normalizeSteps(
  body: Buffer,
  stream: Stream,
  schemas: readonly CompiledSchema[],
  context: NormalizeContext,
): Generator<undefined, Normalized> {
  const classify = createClassifier(schemas, context.parseTime);
  const builders = new Map<string, RowBuilder>();
  const failures: ClassificationFailure[] = [];
  const rowOf = createRowWriter(context);
  const idOf = rowIdsOf(context);
  const take = ({ start, end }: RecordRange, isWhole: boolean): void => {
    const isWanted = context.onlyOffsets?.has(start) ?? true;
    const record = body.toString('utf8', start, end);
    const result = classify(record);
    // One value that is not closed can swallow the lines behind it: these are then read on their own.
    if (result.kind === 'unclassified' && isWhole && record.includes('\n')) {
      for (const line of lines(body, start, end)) take(line, false);
      return;
    }
    if (!isWanted || result.kind === 'nothing') return;
    const rowId = idOf(start);
    if (result.kind === 'event') {
      const builder = builders.get(result.logType) ?? new RowBuilder();
      builders.set(result.logType, builder);
      builder.add(rowOf(result.logType, rowId, result.decoded));
      for (const [index, decoded] of (result.more ?? []).entries()) {
        builder.add(rowOf(result.logType, idOf(start, index + 1), decoded));
      }
    } else {
      const payload = record.slice(0, payloadMax);
      failures.push({ rowId, part: context.part, offset: start, length: end - start, reason: result.reason, payload });
    }
  };
  let records = 0;
  for (const range of recordsOf(body, stream.type, stream.options)) {
    take(range, true);
    records += 1;
    if (records % recordsPerStep === 0) yield;
  }
  const logs = [...builders].map(([logType, builder]) => ({ logType, rows: builder.finish(), count: builder.count }));
  return { logs: logs.toSorted((a, b) => (a.logType < b.logType ? -1 : 1)), failures };
}

/** The same without a stop. */
export function normalizeBody(...given: Parameters<typeof normalizeSteps>): Normalized {
  const steps = normalizeSteps(...given);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
