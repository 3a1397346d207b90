import type { RowIds } from '../normalize/row-ids.ts';
import type { LogStreamOptions, LogStreamType } from '../sources/http-source.ts';

/** One request's body inside the batch object, exactly as it came over the wire. */
export type BatchPart = {
  readonly offset: number;
  readonly length: number;
  /** `Content-Encoding` of the request; compression is recognised by content first. */
  readonly contentEncoding?: string;
  readonly receivedAt: string;
  readonly traceId: string;
};

type BatchState = 'PENDING' | 'ADMITTED' | 'DONE' | 'FAILED';
type BatchLane = 'live' | 'replay';

/**
 * Everything a retry must not decide anew: written by the first attempt, read by every later one, so that a change of
 * rules or schemas between a crash and its retry changes nothing.
 */
export type BatchManifest = {
  /** "Now" of the whole batch: parse time of its rows and evaluation time of its matches. */
  readonly evaluatedAt: string;
  readonly contentRevision: string;
  /** How the source framed records and what it was called. Plans of the first release lack it: they follow the source. */
  readonly source?: SourcePlan;
  /** Revision of each schema that may claim records, by name, in the order in which they are tried. */
  readonly schemas: readonly { readonly name: string; readonly revision: number }[];
  /** How rows are numbered. Plans of the first release lack it: their rows keep the ids they had. */
  readonly rowIds?: RowIds;
};

export type SourcePlan = {
  readonly label: string;
  readonly streamType: LogStreamType;
  readonly streamOptions: LogStreamOptions;
};

/** What one run of a batch did, for people and metrics. */
export type BatchCounters = {
  readonly events: number;
  readonly eventsByLogType: Readonly<Record<string, number>>;
  readonly classificationFailures: number;
  readonly matches: number;
  readonly ruleErrors: number;
};

export type Batch = {
  readonly tenantId: string;
  readonly id: string;
  readonly sourceId: string;
  readonly lane: BatchLane;
  readonly state: BatchState;
  readonly receivedAt: Date;
  readonly objectKey: string;
  readonly parts: readonly BatchPart[];
  readonly bytes: number;
  readonly traceId: string;
  /** The batch whose unclassified records this one tries again. */
  readonly replayOf: string | null;
  readonly admissions: number;
  readonly failures: number;
  readonly manifest: BatchManifest | null;
  readonly counters: BatchCounters | null;
  readonly error: string | null;
  readonly finishedAt: Date | null;
};
