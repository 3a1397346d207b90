import { deliverAlertJob, type DeliveryService } from '#alerts';
import { handle, type JobHandler } from '#platform/jobs';

/** One attempt at one delivery; when the next is due is in the delivery's row. */
export function deliverAlert(delivery: Pick<DeliveryService, 'deliver'>): JobHandler {
  return handle(deliverAlertJob, ({ payload }) => delivery.deliver(payload));
}
