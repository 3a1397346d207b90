import { createDeliveryService, deliverAlertJob } from '#alerts';
import { processBatchJob, startDispatcher } from '#ingestion';
import { jobDefinitions } from '#jobs';
import { createOutboundClient } from '#platform/http-client';
import { createJobs, startOutboxRelay } from '#platform/jobs';
import type { Platform } from '../parts.ts';
import { publicUrl, type Runtime, type Started } from '../runtime.ts';

const dispatchLimits = { perTenant: 4, total: 8, quantumBytes: 4 * 1024 * 1024, leaseSeconds: 60, pollMs: 500 };
const sweepMs = 5000;

/** Moves work: backlog to queue, outbox to queue, and deliveries whose next attempt is due. */
export async function startScheduler(runtime: Runtime, platform: Platform): Promise<Started> {
  const { database, log, clock, secrets } = platform;
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
  const delivery = createDeliveryService({
    database,
    secrets,
    outbound: createOutboundClient({ allowedCidrs: [] }),
    clock,
    log,
    publicUrl: publicUrl(runtime),
    random: Math.random,
  });
  const sweep = async (): Promise<void> => {
    const due = await delivery.listDue(500);
    await jobs.enqueueAll(
      deliverAlertJob,
      due.map((payload) => ({ payload })),
    );
  };
  const timer = setInterval(
    () => void sweep().catch((error: unknown) => log.error('delivery_sweep_failed', { error })),
    sweepMs,
  );
  return {
    async stop() {
      clearInterval(timer);
      await dispatcher.stop();
      await relay.stop();
      await jobs.close();
    },
  };
}
