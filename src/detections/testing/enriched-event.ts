import { DomainError } from '#platform/errors';
import type { ContentItem } from '../content/content-item.ts';

type Event = Readonly<Record<string, unknown>>;

/** Names of the tables that a deployment which enriches would look events of this log type up in. */
function tablesFor(items: readonly ContentItem[], logType: unknown): readonly string[] {
  return items.flatMap(({ id, spec, isEnabled }) => {
    if (spec.AnalysisType !== 'lookup_table' || !isEnabled) return [];
    const types = spec.LogTypeMap.AssociatedLogTypes ?? [];
    return types.some(({ LogType }) => LogType === logType) ? [id] : [];
  });
}

/**
 * The event as rules see it after enrichment. Lookup tables are kept as content and are not looked into yet: an event
 * that no table is for is complete as it is; for any other one the answer would be wrong, so it is `not_available`.
 */
export function enrichedEvent(items: readonly ContentItem[], event: Event): Event {
  const tables = tablesFor(items, event['p_log_type']);
  if (tables.length === 0) return event;
  throw new DomainError('not_available', {
    publicMessage: `Events of ${String(event['p_log_type'])} would be enriched from ${tables.slice(0, 5).join(', ')}, which this version does not do yet: rules see them without p_enrichment.`,
  });
}
