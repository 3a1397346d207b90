export {
  assertOneHandlerEach,
  defineJob,
  handle,
  type JobContext,
  type JobDefinition,
  type JobHandler,
} from './job.ts';
export { migrateJobs } from './job-migrations.ts';
export { createJobs } from './jobs.ts';
export { sendInTransaction, startOutboxRelay } from './outbox.ts';
