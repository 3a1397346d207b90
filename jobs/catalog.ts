import { deliverAlertJob } from '#alerts';
import { processUploadJob } from '#detections';
import { processBatchJob } from '#ingestion';
import type { JobDefinition } from '#platform/jobs';
import { systemErrorRaisedJob } from '#system-errors';

/** Every kind of job there is; a process refuses to start when one of them has no handler. */
export const jobDefinitions: readonly JobDefinition[] = [
  processBatchJob as JobDefinition,
  deliverAlertJob as JobDefinition,
  processUploadJob as JobDefinition,
  systemErrorRaisedJob as JobDefinition,
];
