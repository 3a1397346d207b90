import { startDeliverySweeper } from '#alerts';
import { processBatchJob, startDispatcher, watchAlarms } from '#ingestion';
import { jobDefinitions } from '#jobs';
import { createJobs, startOutboxRelay } from '#platform/jobs';
import { createSystemErrorRecorder } from '#system-errors';
import { erasureTask, openErasures } from '../erasures.ts';
import { startHousekeeping } from '../housekeeping.ts';
import type { Platform } from '../parts.ts';
import { retentionTasks } from '../retention.ts';
import { retentionLimits } from '../retention-limits.ts';
import type { Runtime, Started } from '../runtime.ts';
import { strandedWork } from '../stranded-work.ts';

const dispatchLimits = { tenantShare: 0.75, quantumBytes: 4 * 1024 * 1024, leaseSeconds: 30, pollMs: 500 };

/** Moves work: backlog to queue, outbox to queue, deliveries whose next attempt is due; and forgets what is old. */
export async function startScheduler(runtime: Runtime, platform: Platform): Promise<Started> {
  const { database, log, clock } = platform;
  const { REDIS_URL: redisUrl } = runtime.settings;
  const jobs = createJobs({ databaseUrl: runtime.databaseUrl, log, ...(redisUrl === undefined ? {} : { redisUrl }) });
  const relay = await startOutboxRelay({ database, jobs, definitions: jobDefinitions, log });
  const dispatcher = await startDispatcher({
    database,
    log,
    limits: dispatchLimits,
    enqueue: (admissions) =>
      jobs.enqueueAll(
        processBatchJob,
        admissions.map(({ tenantId, batchId, admission }) => ({
          payload: { tenantId, batchId },
          jobId: `${batchId}-${admission}`,
        })),
      ),
  });
  const sweeper = startDeliverySweeper({ database, jobs, clock, log });
  const tasks = [
    ...retentionTasks(platform, retentionLimits(runtime.settings)),
    ...strandedWork(platform, jobs),
    erasureTask(openErasures(platform, jobs)),
  ];
  const housekeeping = startHousekeeping(tasks, { log });
  const systemErrors = createSystemErrorRecorder(platform);
  const alarms = startHousekeeping(
    [{ name: 'alarms of log sources', run: () => watchAlarms({ ...platform, systemErrors }), fullRound: Infinity }],
    { log, firstAfterMs: 10_000, everyMs: 60_000 },
  );
  return {
    async stop() {
      await alarms.stop();
      await housekeeping.stop();
      await sweeper.stop();
      await dispatcher.stop();
      await relay.stop();
      await jobs.close();
    },
  };
}
