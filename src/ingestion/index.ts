export { alarmOperations } from './alarms/alarm-operations.ts';
export { type AlarmService, createAlarmService } from './alarms/alarm-service.ts';
export { watchAlarms } from './alarms/alarm-watch.ts';
export type { Batch, BatchCounters, BatchManifest } from './batches/batch.ts';
export { type BatchProcessor, createBatchProcessor, type PreparedBatch } from './batches/batch-processor.ts';
export { createNormalizer } from './batches/bulk-thread.ts';
export { createBatchRetention } from './batches/batch-retention.ts';
export { batchOperations, type BatchService, createBatchService } from './batches/batch-service.ts';
export {
  type Acknowledgement,
  createIntake,
  defaultIntakeLimits,
  type Intake,
  type IntakeLimits,
} from './batches/intake.ts';
export { startDispatcher } from './dispatch/dispatcher.ts';
export { announceWorker } from './dispatch/worker-places.ts';
export { listFigures, type WorkerFigures } from './dispatch/worker-places-store.ts';
export { processBatchJob } from './ingestion-jobs.ts';
export type { LogRows } from './normalize/normalize.ts';
export { managedSchemas } from './schemas/managed-schemas.ts';
export { logTypeSchemas, schemaFields } from './schemas/schema-fields.ts';
export { createSchemaService, type LogSchema, schemaOperations, type SchemaService } from './schemas/schema-service.ts';
export { findSchema } from './schemas/schema-store.ts';
export type { HttpSource } from './sources/http-source.ts';
export { sourceOperations } from './sources/source-operations.ts';
export { createSourceService, type SourceService } from './sources/source-service.ts';
export { defaultBodyLimits } from './streams/body.ts';
export { createUsageService, type UsageService } from './usage/usage-service.ts';
export { createHttpReceiver, type HttpReceiver } from './transports/http/receive.ts';
