import type { QueryResolvers } from '../generated/resolvers.ts';

const total = (series: readonly { readonly value: number }[]): number =>
  series.reduce((sum, { value }) => sum + value, 0);

/** Counts of alerts and of what was taken in, side by side. The first checks the time for both. */
export const metrics: NonNullable<QueryResolvers['metrics']> = async (_root, { input }, { actor, services }) => {
  const { window, ...alerts } = await services.alertMetrics.count(actor, input);
  const usage = await services.usage.count(actor, {
    fromDate: window.from,
    toDate: window.to,
    intervalInMinutes: window.intervalMinutes,
  });
  return {
    alertsPerRule: alerts.perRule,
    alertsPerSeverity: alerts.perSeverity,
    bytesIngestedPerSource: usage.bytesPerSource,
    bytesProcessedPerSource: usage.bytes,
    bytesQueriedPerSource: [],
    eventsProcessedPerLogType: usage.events,
    latencyPerLogType: null,
    totalAlerts: alerts.total,
    totalBytesIngested: total(usage.bytesPerSource),
    totalBytesProcessed: total(usage.bytes),
    totalBytesQueried: 0,
    totalEventsProcessed: total(usage.events),
  };
};
