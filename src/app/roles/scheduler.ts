import { startDeliverySweeper } from '#alerts';
import { processBatchJob, startDispatcher } from '#ingestion';
import { jobDefinitions } from '#jobs';
import { createJobs, startOutboxRelay } from '#platform/jobs';
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
  return {
    async stop() {
      await housekeeping.stop();
      await sweeper.stop();
      await dispatcher.stop();
      await relay.stop();
      await jobs.close();
    },
  };
}
