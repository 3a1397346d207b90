import { createDeliveryService } from '#alerts';
import { createEvaluator } from '#detections';
import { createBatchProcessor, defaultBodyLimits } from '#ingestion';
import { deliverAlert, jobDefinitions, processBatch } from '#jobs';
import { startLoader } from '#lake';
import { createOutboundClient } from '#platform/http-client';
import { assertOneHandlerEach, createJobs } from '#platform/jobs';
import { openSandbox, type Platform } from '../parts.ts';
import { publicUrl, type Runtime, type Started } from '../runtime.ts';

const deliveriesAtOnce = 8;

/** Runs jobs: batches, deliveries, and the loader of the lake. */
export async function startWorker(runtime: Runtime, platform: Platform): Promise<Started> {
  const { database, log, clock, ids, objects, secrets, lake } = platform;
  const { settings } = runtime;
  const sandbox = await openSandbox(runtime);
  const evaluator = createEvaluator({ database, sandbox: sandbox.pool, objects, lake, ids });
  const batches = createBatchProcessor({ database, objects, lake, clock, limits: defaultBodyLimits });
  const outbound = createOutboundClient({ allowedCidrs: settings.MARGAY_OUTBOUND_ALLOW_CIDRS });
  const delivery = createDeliveryService({
    database,
    secrets,
    outbound,
    clock,
    log,
    publicUrl: publicUrl(runtime),
    random: Math.random,
  });
  const jobs = createJobs({
    databaseUrl: runtime.databaseUrl,
    log,
    ...(settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL }),
  });
  const batchHandler = processBatch({ batches, evaluator });
  const deliveryHandler = deliverAlert(delivery);
  assertOneHandlerEach(jobDefinitions, [batchHandler, deliveryHandler]);
  jobs.process(batchHandler, settings.MARGAY_WORKER_CONCURRENCY);
  jobs.process(deliveryHandler, deliveriesAtOnce);
  const loader = startLoader(lake.loader, log);
  return {
    async stop() {
      await jobs.close();
      await loader.stop();
      await sandbox.pool.close();
    },
  };
}
