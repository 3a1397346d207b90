import type { RetentionLimits } from '#identity';
import type { Settings } from '#platform/config';

/** What the deployment keeps at most, from its settings. */
export const retentionLimits = (settings: Settings): RetentionLimits => ({
  rawDays: settings.MARGAY_RAW_RETENTION_DAYS,
  eventDays: settings.MARGAY_EVENT_RETENTION_DAYS,
  deliveryLogDays: settings.MARGAY_DELIVERY_LOG_RETENTION_DAYS,
});
