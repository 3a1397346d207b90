import { z } from 'zod';
import { defineJob } from '#platform/jobs';

/** A new system error wants an alert. Sent once per entry, not per occurrence. */
export const systemErrorRaisedJob = defineJob({
  name: 'system-errors.raised',
  payload: z.object({ tenantId: z.uuid(), systemErrorId: z.uuid() }),
  attempts: 5,
  backoffMs: 1000,
  timeoutMs: 30_000,
});
