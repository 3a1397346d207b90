export { deliverAlert } from './alerts/deliver-alert.ts';
export { jobDefinitions } from './catalog.ts';
export { processContentUpload } from './detections/process-upload.ts';
export { raiseSystemError } from './alerts/raise-system-error.ts';
export { processBatch } from './ingestion/process-batch.ts';
