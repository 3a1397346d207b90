import { giveUpUpload, processUpload, processUploadJob } from '#detections';
import { handle, type JobHandler } from '#platform/jobs';

/** An uploaded archive is checked and saved. After the last attempt its receipt says that it failed. */
export const processContentUpload = (deps: Parameters<typeof processUpload>[0]): JobHandler =>
  handle(processUploadJob, async ({ payload: { tenantId, uploadId }, attempt, log }) => {
    try {
      await processUpload(deps, tenantId, uploadId);
    } catch (error) {
      log.error('upload_failed', { tenantId, uploadId, attempt, error });
      if (attempt < processUploadJob.attempts) throw error;
      await giveUpUpload(deps, tenantId, uploadId);
    }
  });
