import { type Actor, admit, defineQuery, mayReadLogType } from '#access';
import type { Database } from '#platform/postgres';
import { z } from 'zod';
import { bytesBySource, type UsageRow, usageByLogType } from './usage-store.ts';

/** Not a root field of its own: part of `metrics`, which checks the window. */
const usage = defineQuery({
  name: 'metrics',
  summary: 'Bytes and events of a time.',
  permission: 'SummaryRead',
  input: z.strictObject({ fromDate: z.date(), toDate: z.date(), intervalInMinutes: z.number().int().min(1) }),
});

type Series = { readonly label: string; readonly value: number };
type SeriesWithBreakdown = Series & { readonly breakdown: Readonly<Record<string, number>> };

type Usage = {
  readonly events: readonly SeriesWithBreakdown[];
  readonly bytes: readonly SeriesWithBreakdown[];
  /** Over the last 365 days, or as far back as batches are kept. */
  readonly bytesPerSource: readonly Series[];
};

export type UsageService = {
  /** What was taken in and processed, of the log types that the actor may read. */
  count(actor: Actor, input: unknown): Promise<Usage>;
};

function series(rows: readonly UsageRow[], value: (row: UsageRow) => number): readonly SeriesWithBreakdown[] {
  const sum = (some: readonly UsageRow[]) => some.reduce((total, row) => total + value(row), 0);
  return [...Map.groupBy(rows, ({ logType }) => logType)].map(([label, group]) => ({
    label,
    value: sum(group),
    breakdown: Object.fromEntries(group.map((row) => [row.bucket.toISOString(), value(row)])),
  }));
}

export function createUsageService({ database }: { readonly database: Database }): UsageService {
  return {
    async count(actor, input) {
      const { fromDate: from, toDate: to, intervalInMinutes: intervalMinutes } = admit(actor, usage, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        const all = await usageByLogType(tx, { from, to, intervalMinutes });
        const rows = all.filter(({ logType }) => mayReadLogType(actor.logTypeAccess, logType));
        return {
          events: series(rows, ({ events }) => events),
          bytes: series(rows, ({ bytes }) => bytes),
          bytesPerSource: await bytesBySource(tx),
        };
      });
    },
  };
}
