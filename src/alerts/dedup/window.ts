import { hashId } from '#platform/ids';
import type { AlertId } from '../alert.ts';
import { type AlertSeed, type DetectionMatch, seedOf, storableText } from './detection-match.ts';
import { addValues, distinctCount, type Values, valuesOf } from './distinct-values.ts';

/** What a number of matches add up to. */
export type Tally = {
  readonly count: number;
  readonly firstEventAt: Date;
  readonly lastEventAt: Date;
  readonly firstReceivedAt: Date;
  readonly lastReceivedAt: Date;
  readonly logTypes: readonly string[];
  readonly logSources: readonly string[];
  /** Different values of `unique`, for detections that count those. */
  readonly values?: Values | undefined;
};

/** Matches of one batch with the same detection, kind and dedup string. */
export type MatchGroup = {
  readonly windowId: string;
  readonly seed: AlertSeed;
  readonly tally: Tally;
  readonly threshold: number;
  readonly dedupPeriodMinutes: number;
};

/**
 * Fixed span of time in which matches belong to one alert. It starts with the first match by processing time and is
 * never extended, so a steady stream cannot keep one alert open for ever.
 */
export type Window = {
  readonly id: string;
  /** Id that the window's alert has or will have. */
  readonly alertId: AlertId;
  readonly openedAt: Date;
  readonly closesAt: Date;
  readonly matchCount: number;
  readonly isAlert: boolean;
  /** Content and sum so far, kept while the threshold is not reached. */
  readonly pending: { readonly seed: AlertSeed; readonly tally: Tally } | null;
};

/** What happens to the alert of a window: nothing yet, it comes into being, or it grows. */
export type WindowEffect =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly seed: AlertSeed; readonly tally: Tally }
  | { readonly kind: 'add'; readonly tally: Tally };

const earlier = (a: Date, b: Date): Date => (a <= b ? a : b);
const later = (a: Date, b: Date): Date => (a >= b ? a : b);
const union = (a: readonly string[], b: readonly string[]): readonly string[] =>
  b.every((item) => a.includes(item)) ? a : [...new Set([...a, ...b])];

function addTallies(a: Tally, b: Tally): Tally {
  return {
    count: a.count + b.count,
    firstEventAt: earlier(a.firstEventAt, b.firstEventAt),
    lastEventAt: later(a.lastEventAt, b.lastEventAt),
    firstReceivedAt: earlier(a.firstReceivedAt, b.firstReceivedAt),
    lastReceivedAt: later(a.lastReceivedAt, b.lastReceivedAt),
    logTypes: union(a.logTypes, b.logTypes),
    logSources: union(a.logSources, b.logSources),
    ...(a.values || b.values ? { values: addValues(a.values, b.values) } : {}),
  };
}

const tallyOf = (match: DetectionMatch): Tally => ({
  count: 1,
  firstEventAt: match.eventTime,
  lastEventAt: match.eventTime,
  firstReceivedAt: match.receivedAt,
  lastReceivedAt: match.receivedAt,
  logTypes: [storableText(match.logType)],
  logSources: match.sourceId === undefined ? [] : [match.sourceId],
  ...(match.unique === undefined ? {} : { values: valuesOf(match.unique) }),
});

/** Errors and matches never share a window. A period of zero groups nothing: each event has a window of its own. */
function windowIdOf(match: DetectionMatch): string {
  const parts = [match.type, storableText(match.detectionId), storableText(match.dedup)];
  return match.dedupPeriodMinutes > 0 ? hashId(...parts) : hashId(...parts, match.rowId);
}

export type GroupedMatches = {
  /** Sorted by window id: all writers lock windows in this order. */
  readonly groups: readonly MatchGroup[];
  /** Window of each match, in the order given; undefined for matches that make no alert. */
  readonly windowIds: readonly (string | undefined)[];
};

/** Sums up the matches of a batch by window. The first match of a group in the given order is what an alert is made of. */
export function groupMatches(matches: readonly DetectionMatch[]): GroupedMatches {
  const groups = new Map<string, MatchGroup>();
  const windowIds = matches.map((match) => {
    if (!match.createsAlert) return undefined;
    const windowId = windowIdOf(match);
    const known = groups.get(windowId);
    const group = known ?? {
      windowId,
      seed: seedOf(match),
      threshold: match.type === 'RULE' ? Math.max(1, match.threshold) : 1,
      dedupPeriodMinutes: match.dedupPeriodMinutes,
    };
    const tally = known === undefined ? tallyOf(match) : addTallies(known.tally, tallyOf(match));
    groups.set(windowId, { ...group, tally });
    return windowId;
  });
  return { groups: [...groups.values()].toSorted((a, b) => (a.windowId < b.windowId ? -1 : 1)), windowIds };
}

/** An empty window that begins now. Its alert id follows from tenant, window and start, so a repeated batch finds the same. */
export function openWindow(tenantId: string, group: MatchGroup, evaluatedAt: Date): Window {
  return {
    id: group.windowId,
    alertId: hashId(tenantId, group.windowId, evaluatedAt.toISOString()),
    openedAt: evaluatedAt,
    closesAt: new Date(evaluatedAt.getTime() + group.dedupPeriodMinutes * 60_000),
    matchCount: 0,
    isAlert: false,
    pending: null,
  };
}

/**
 * Counts a group into its window, or into a new one when the known window is over at `evaluatedAt`. A batch that was
 * evaluated before the known window opened still counts into it: there is one window per key at a time.
 */
export function advanceWindow(
  tenantId: string,
  known: Window,
  group: MatchGroup,
  evaluatedAt: Date,
): { readonly window: Window; readonly effect: WindowEffect } {
  const current = evaluatedAt < known.closesAt ? known : openWindow(tenantId, group, evaluatedAt);
  const matchCount = current.matchCount + group.tally.count;
  if (current.isAlert) return { window: { ...current, matchCount }, effect: { kind: 'add', tally: group.tally } };
  const seed = current.pending?.seed ?? group.seed;
  const tally = current.pending === null ? group.tally : addTallies(current.pending.tally, group.tally);
  const reached = tally.values === undefined ? matchCount : distinctCount(tally.values);
  if (reached < group.threshold)
    return { window: { ...current, matchCount, pending: { seed, tally } }, effect: { kind: 'none' } };
  return {
    window: { ...current, matchCount, isAlert: true, pending: null },
    effect: { kind: 'create', seed, tally },
  };
}
