import { runMigrations } from 'bullmq';
import pg from 'pg';

/** Any constant: whoever holds this lock brings the queue schema up to date. */
const migrationLock = 7_714_213;

/** Creates or updates the queue schema as the owner; `margay_jobs` may use it and nobody else. */
export async function migrateJobs(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'margay migrate jobs' });
  await client.connect();
  try {
    // Several starters take turns; the lock ends with the session.
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await runMigrations(client, 'bullmq');
    // BullMQ makes a sequence per queue when the queue is first used, hence CREATE.
    await client.query(`GRANT USAGE, CREATE ON SCHEMA bullmq TO margay_jobs;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq TO margay_jobs;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA bullmq TO margay_jobs;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bullmq TO margay_jobs`);
  } finally {
    await client.end();
  }
}
