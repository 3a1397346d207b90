export { deliverAlert } from './alerts/deliver-alert.ts';
export { jobDefinitions } from './catalog.ts';
export { processBatch } from './ingestion/process-batch.ts';
