import { z } from 'zod';
import { type Actor, admit, defineQuery } from '#access';
import type { Database } from '#platform/postgres';
import { countAlerts } from './alert-metrics-store.ts';

/** Lengths of an interval, in minutes, that divide a day. */
const intervals = [15, 30, 60, 180, 360, 720, 1440] as const;
const bucketsMax = 2000;

const metricsWindow = z
  .strictObject({
    fromDate: z.date(),
    toDate: z.date(),
    intervalInMinutes: z.number().int().min(15, 'must be 15 or more').max(1440, 'must be 1440 or less').nullish(),
  })
  .refine(({ fromDate, toDate }) => fromDate < toDate, { path: ['toDate'], error: 'must be after fromDate' })
  .transform(({ fromDate, toDate, intervalInMinutes }, context) => {
    const minutes = (toDate.getTime() - fromDate.getTime()) / 60_000;
    const interval = intervalInMinutes ?? intervals.find((length) => minutes / length <= 120) ?? 1440;
    if (minutes / interval > bucketsMax)
      context.addIssue({ code: 'custom', path: ['toDate'], message: `gives more than ${bucketsMax} intervals` });
    return { from: fromDate, to: toDate, intervalMinutes: interval };
  });

export const metrics = defineQuery({
  name: 'metrics',
  summary: 'Alerts, bytes and events of a time.',
  permission: 'SummaryRead',
  input: metricsWindow,
});

/** Values by the start of their interval (ISO 8601). */
type Breakdown = Readonly<Record<string, number>>;

type AlertMetrics = {
  readonly perSeverity: readonly { readonly label: string; readonly value: number; readonly breakdown: Breakdown }[];
  readonly perRule: readonly { readonly entityId: string; readonly label: string; readonly value: number }[];
  readonly total: number;
  readonly window: { readonly from: Date; readonly to: Date; readonly intervalMinutes: number };
};

export type AlertMetricsService = {
  /** Counts of the alerts that the actor may read. */
  count(actor: Actor, input: unknown): Promise<AlertMetrics>;
};

export function createAlertMetrics({ database }: { readonly database: Database }): AlertMetricsService {
  return {
    async count(actor, input) {
      const window = admit(actor, metrics, input);
      const rows = await database.withTenant(actor.tenantId, (tx) => countAlerts(tx, window, actor.logTypeAccess));
      const sum = (some: readonly { readonly alerts: number }[]) => some.reduce((total, row) => total + row.alerts, 0);
      const severities = Map.groupBy(rows, ({ kind, severity }) => `${kind} ${severity}`);
      const rules = Map.groupBy(rows, ({ detectionId }) => detectionId);
      return {
        perSeverity: [...severities].map(([label, group]) => ({
          label,
          value: sum(group),
          breakdown: Object.fromEntries(
            [...Map.groupBy(group, ({ bucket }) => bucket.toISOString())].map(([at, some]) => [at, sum(some)]),
          ),
        })),
        perRule: [...rules].map(([entityId, group]) => ({
          entityId,
          label: group.at(-1)?.detectionName ?? entityId,
          value: sum(group),
        })),
        total: sum(rows),
        window,
      };
    },
  };
}
