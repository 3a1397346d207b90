import { z } from 'zod';
import { defineJob } from '#platform/jobs';

/** An archive was taken in and waits to be checked and saved. */
export const processUploadJob = defineJob({
  name: 'detections.process-upload',
  payload: z.object({ tenantId: z.uuid(), uploadId: z.uuid() }),
  attempts: 4,
  backoffMs: 2000,
  timeoutMs: 300_000,
});
