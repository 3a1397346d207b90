import { joined, type Normalized, normalizeSteps } from '../normalize/normalize.ts';
import type { RowIds } from '../normalize/row-ids.ts';
import { type BodyLimits, decodeBody } from '../streams/body.ts';
import type { BatchPart, SourcePlan } from './batch.ts';
import { compiledOf, type SchemaText } from './plan-schemas.ts';

/** Everything that decides the rows of a batch: plain values, so that they may go to another thread. */
export type RawBatch = {
  readonly tenantId: string;
  readonly sourceId: string;
  /** Batch whose records these are, in row ids: of a replay the batch that first held them. */
  readonly recordsOf: string;
  readonly isReplay: boolean;
  readonly evaluatedAt: string;
  readonly source: SourcePlan;
  readonly rowIds?: RowIds;
  readonly parts: readonly BatchPart[];
  readonly bytes: Uint8Array;
  readonly schemas: Schemas;
  /** Of a replay: the schemas of the batch it replays and of every replay before it. */
  readonly triedSchemas: readonly Schemas[];
};

type Schemas = readonly SchemaText[];

/** Called between steps of a few milliseconds: lets others go on when it waits. */
type GiveWay = () => Promise<void> | void;

function merge(parts: readonly Normalized[]): Normalized {
  const byType = Map.groupBy(
    parts.flatMap((part) => part.logs),
    (log) => log.logType,
  );
  const logs = [...byType].map(([logType, group]) => ({
    logType,
    rows: joined(group.map((log) => log.rows)),
    count: group.reduce((sum, log) => sum + log.count, 0),
  }));
  return {
    logs: logs.toSorted((a, b) => (a.logType < b.logType ? -1 : 1)),
    failures: parts.flatMap((part) => part.failures),
  };
}

type Read = (schemas: Schemas, only: ReadonlySet<number> | undefined) => Promise<Normalized>;

/** Records of a body that none of the earlier plans could read. */
async function stillUnread(tried: readonly Schemas[], read: Read): Promise<ReadonlySet<number> | undefined> {
  let only: ReadonlySet<number> | undefined;
  for (const schemas of tried) only = new Set((await read(schemas, only)).failures.map((failure) => failure.offset));
  return only;
}

/** Turns the raw bytes of a batch into rows by log type. The same input gives the same bytes, in whatever thread. */
export async function normalizeBatch(raw: RawBatch, limits: BodyLimits, giveWay: GiveWay): Promise<Normalized> {
  const { source, triedSchemas, schemas, isReplay } = raw;
  const bytes = Buffer.from(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength);
  const stream = { type: source.streamType, options: source.streamOptions };
  const parts: Normalized[] = [];
  for (const [part, { offset, length, contentEncoding }] of raw.parts.entries()) {
    const body = await decodeBody(bytes.subarray(offset, offset + length), contentEncoding, limits);
    const context = {
      tenantId: raw.tenantId,
      batchId: raw.recordsOf,
      part,
      sourceId: raw.sourceId,
      sourceLabel: source.label,
      parseTime: new Date(raw.evaluatedAt),
      ...(raw.rowIds && { rowIds: raw.rowIds }),
    };
    const read: Read = async (tried, only) => {
      const wanted = only === undefined ? context : { ...context, onlyOffsets: only };
      const steps = normalizeSteps(body, stream, tried.map(compiledOf), wanted);
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
        await giveWay();
      }
    };
    const { logs, failures } = await read(schemas, await stillUnread(triedSchemas, read));
    // What a replay cannot read either is listed already.
    parts.push({ logs, failures: isReplay ? [] : failures });
  }
  return merge(parts);
}
