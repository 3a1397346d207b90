import type { ChaosEvent, Ledger } from './traffic.ts';

/** What the deployment has of one tenant in the end. */
export type Found = {
  /** How often each event id is in the lake. */
  readonly events: ReadonlyMap<string, number>;
  /** Number of events each alert counts, by group; two alerts of one group are two entries. */
  readonly alerts: readonly { readonly group: string; readonly eventCount: number }[];
};

export type Verdict = {
  readonly acknowledged: number;
  readonly inLake: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Events that were never sent to this tenant. */
  readonly foreign: number;
  readonly alertsExpected: number;
  readonly alertsFound: number;
  readonly countErrors: number;
};

const hitsByGroup = (events: Iterable<ChaosEvent>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { group, hit } of events) if (hit) counts.set(group, (counts.get(group) ?? 0) + 1);
  return counts;
};

/** Compares what was acknowledged with what is there. Events nobody was sure of may be there or not, but once at most. */
export function judge({ acknowledged, unsure }: Ledger, { events, alerts }: Found): Verdict {
  const lost = [...acknowledged.keys()].filter((id) => !events.has(id)).length;
  const duplicated = [...events.values()].filter((count) => count > 1).length;
  const foreign = [...events.keys()].filter((id) => !acknowledged.has(id) && !unsure.has(id)).length;
  const stored = [...acknowledged.values(), ...[...unsure.values()].filter(({ id }) => events.has(id))];
  const wanted = hitsByGroup(stored);
  const byGroup = Map.groupBy(alerts, (alert) => alert.group);
  let countErrors = 0;
  for (const group of new Set([...wanted.keys(), ...byGroup.keys()])) {
    const found = byGroup.get(group) ?? [];
    if (found.length !== 1 || found[0]?.eventCount !== wanted.get(group)) countErrors += 1;
  }
  return {
    acknowledged: acknowledged.size,
    inLake: events.size,
    lost,
    duplicated,
    foreign,
    alertsExpected: wanted.size,
    alertsFound: alerts.length,
    countErrors,
  };
}

/** Sums up several tenants. */
export function total(verdicts: readonly Verdict[]): Verdict {
  const sum = (pick: (verdict: Verdict) => number): number => verdicts.reduce((count, one) => count + pick(one), 0);
  return {
    acknowledged: sum((one) => one.acknowledged),
    inLake: sum((one) => one.inLake),
    lost: sum((one) => one.lost),
    duplicated: sum((one) => one.duplicated),
    foreign: sum((one) => one.foreign),
    alertsExpected: sum((one) => one.alertsExpected),
    alertsFound: sum((one) => one.alertsFound),
    countErrors: sum((one) => one.countErrors),
  };
}
