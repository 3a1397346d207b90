import { type Deliverer, deliverAlertJob } from '#alerts';
import { handle, type JobHandler } from '#platform/jobs';

/** One attempt at a delivery, and more of the same destination while there are any. */
export const deliverAlert = (deps: { readonly deliverer: Deliverer }): JobHandler =>
  handle(deliverAlertJob, ({ payload, signal }) =>
    deps.deliverer.deliver(payload.tenantId, payload.deliveryId, signal),
  );
