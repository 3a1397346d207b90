import { z } from 'zod';
import { defineJob } from '#platform/jobs';

/** One admitted batch. The backlog counts attempts itself, so the queue tries once. */
export const processBatchJob = defineJob({
  name: 'ingestion.process-batch',
  payload: z.object({ tenantId: z.uuid(), batchId: z.uuid() }),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 10 * 60_000,
});
