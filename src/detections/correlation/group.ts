import type { CorrelationDetection } from '../content/types/correlation-rule.ts';
import { type Correlation, memberId, minuteMs, type Signal } from './signal.ts';

type Member = NonNullable<CorrelationDetection['Group']>[number];

/** Whether as many members as must have their signals in this window. */
function isFulfilled(detection: CorrelationDetection, present: readonly Member[], window: readonly Signal[]): boolean {
  const counts = new Map<string, number>();
  for (const { member } of window) counts.set(member, (counts.get(member) ?? 0) + 1);
  const matched = present.filter((member) => {
    const count = counts.get(memberId(member)) ?? 0;
    return count >= Math.max(1, member.MinMatchCount ?? 1) && count <= (member.MaxMatchCount ?? Infinity);
  });
  return matched.length >= (detection.MinMatchCount ?? present.length) && matched.length > 0;
}

/**
 * The first lookback window, starting at a signal, in which the members are fulfilled. What must be absent must not
 * have happened in any window that could hold the others, before them or after.
 */
function findWindow(
  detection: CorrelationDetection,
  members: readonly Member[],
  signals: readonly Signal[],
): readonly Signal[] | undefined {
  const spanMs = detection.LookbackWindowMinutes * minuteMs;
  const absentIds = new Set(members.filter((member) => member.Absence === true).map(memberId));
  const absent = signals.filter((signal) => absentIds.has(signal.member));
  const present = members.filter((member) => member.Absence !== true);
  const others = signals.filter((signal) => !absentIds.has(signal.member));
  let end = 0;
  for (const [start, first] of others.entries()) {
    while (end < others.length && (others[end]?.atMs ?? Infinity) - first.atMs <= spanMs) end += 1;
    const window = others.slice(start, end);
    const last = window.at(-1) ?? first;
    const isDisturbed = absent.some(({ atMs }) => atMs >= last.atMs - spanMs && atMs <= first.atMs + spanMs);
    if (!isDisturbed && isFulfilled(detection, present, window)) return window;
  }
  return undefined;
}

/** Signals by the value that a criterion compares; a signal with several values counts for each. */
function byValue(
  entries: readonly { readonly GroupID: string; readonly Match: string }[],
  signals: readonly Signal[],
): ReadonlyMap<string, readonly Signal[]> {
  const fields = new Map(entries.map(({ GroupID, Match }) => [GroupID, Match]));
  const found = new Map<string, Signal[]>();
  for (const signal of signals) {
    const field = fields.get(signal.member);
    if (field === undefined) continue;
    for (const value of new Set(signal.values.get(field) ?? [])) {
      const group = found.get(value) ?? [];
      group.push(signal);
      found.set(value, group);
    }
  }
  return found;
}

/** Signals in any order that share a value for every criterion, or merely occur together when there is none. */
export function correlateGroup(detection: CorrelationDetection, signals: readonly Signal[]): readonly Correlation[] {
  const members = detection.Group ?? [];
  const criteria = Object.values(detection.MatchCriteria ?? {});
  if (criteria.length === 0) {
    const window = findWindow(detection, members, signals);
    return window ? [{ value: '', signals: window }] : [];
  }
  const perCriterion = criteria.map((entries) => {
    const listed = new Set(entries.map(({ GroupID }) => GroupID));
    const concerned = members.filter((member) => listed.has(memberId(member)));
    return [...byValue(entries, signals)].flatMap(([value, shared]) => {
      const window = findWindow(detection, concerned, shared);
      return window ? [{ value, signals: window }] : [];
    });
  });
  if (perCriterion.some((found) => found.length === 0)) return [];
  return perCriterion[0] ?? [];
}
