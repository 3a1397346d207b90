import type { SystemErrorAlerts } from '#alerts';
import { handle, type JobHandler } from '#platform/jobs';
import { systemErrorRaisedJob } from '#system-errors';

/** A new system error becomes an alert. */
export const raiseSystemError = (deps: { readonly systemErrorAlerts: SystemErrorAlerts }): JobHandler =>
  handle(systemErrorRaisedJob, ({ payload }) => deps.systemErrorAlerts.raise(payload.tenantId, payload.systemErrorId));
