import type { ContentItem } from './content/content-item.ts';

/** One technique under one tactic, and the detections that say they are about it. */
export type CoverageEntry = {
  readonly tactic: string;
  /** With its sub-technique, e.g. T1556.006; empty when only the tactic is named. */
  readonly technique: string;
  readonly detectionIds: readonly string[];
  readonly enabledCount: number;
};

const reportName = 'MITRE ATT&CK';

/** `TA0006:T1556.006`, or what authors made of it; whatever is not of the form is left out. */
function entryOf(value: string | number): readonly [string, string] | undefined {
  const found = /^\s*(TA\d{3,4})(?:\s*:\s*(T\d{4}(?:\.\d{3})?))?\s*$/i.exec(String(value));
  return found?.[1] === undefined ? undefined : [found[1].toUpperCase(), (found[2] ?? '').toUpperCase()];
}

/** Tactics × techniques in the order of their names. */
export function mitreCoverage(items: readonly ContentItem[]): readonly CoverageEntry[] {
  const cells = new Map<string, { tactic: string; technique: string; ids: string[]; enabledCount: number }>();
  for (const { id, spec, isEnabled } of items) {
    if (!('Reports' in spec)) continue;
    const entries = (spec.Reports?.[reportName] ?? []).map(entryOf).filter((entry) => entry !== undefined);
    for (const [tactic, technique] of new Map(entries.map((entry) => [entry.join(':'), entry])).values()) {
      const key = `${tactic}:${technique}`;
      const cell = cells.get(key) ?? { tactic, technique, ids: [], enabledCount: 0 };
      cell.ids.push(id);
      if (isEnabled) cell.enabledCount += 1;
      cells.set(key, cell);
    }
  }
  return [...cells]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ids, ...cell }]) => ({ ...cell, detectionIds: ids.toSorted() }));
}
