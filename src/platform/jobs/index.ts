export {
  assertOneHandlerEach,
  defineJob,
  handle,
  type JobContext,
  type JobDefinition,
  type JobHandler,
} from './job.ts';
export { migrateJobs } from './job-migrations.ts';
export { createJobs, type Jobs, type QueuedJob } from './jobs.ts';
export { sendAllInTransaction, sendInTransaction, startOutboxRelay } from './outbox.ts';
