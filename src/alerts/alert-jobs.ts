import { z } from 'zod';
import { defineJob } from '#platform/jobs';

/** One attempt at one delivery. Its schedule lives in the delivery's row, so the queue tries once. */
export const deliverAlertJob = defineJob({
  name: 'alerts.deliver-alert',
  payload: z.object({ tenantId: z.uuid(), deliveryId: z.string().max(64) }),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 60_000,
});
