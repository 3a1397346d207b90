import path from 'node:path';
import { createAlertIntake, createDeliverer, createSystemErrorAlerts } from '#alerts';
import { createAuditRecorder } from '#audit';
import { createEvaluator } from '#detections';
import {
  announceWorker,
  createBatchProcessor,
  createNormalizer,
  defaultBodyLimits,
  type WorkerFigures,
} from '#ingestion';
import { deliverAlert, jobDefinitions, processBatch, processContentUpload, raiseSystemError } from '#jobs';
import { createReaders, createServerQueryEngine, type QueryEngine, startLoader } from '#lake';
import { defaultLimits, startQueryRunner } from '#search';
import { assertOneHandlerEach, createJobs } from '#platform/jobs';
import { createLakeClient } from '#platform/lake-client';
import { createSystemErrorRecorder } from '#system-errors';
import { openOutbound, openSandbox, type Platform } from '../parts.ts';
import type { Runtime, Started } from '../runtime.ts';

/** More than one destination may take at a time, so that a slow one leaves room for others. */
const deliveriesAtOnce = 16;
/** One place more than asked for: the dispatcher keeps it for sources that have nothing at work. */
const placesForTheIdle = 1;

/** The engine works on a few queries well, on many badly. */
const queriesAtOnce = 4;

/** Beside the embedded lake each query has a process of its own; a server holds queries by its own means. */
async function openQueryEngine(
  { settings, dataDir }: Runtime,
  { lakeClient: client, log }: Platform,
): Promise<QueryEngine & { close(): Promise<void>; figures(): WorkerFigures }> {
  if (settings.CLICKHOUSE_URL !== undefined) {
    const { CLICKHOUSE_URL: url, CLICKHOUSE_READER_USER: user, CLICKHOUSE_READER_PASSWORD: password = '' } = settings;
    if (user === undefined) log.warn('queries_without_reader', { setting: 'CLICKHOUSE_READER_USER' });
    const reader = user === undefined ? undefined : createLakeClient({ url, user, password });
    return {
      ...createServerQueryEngine(client, reader),
      close: async () => reader?.close(),
      figures: () => ({}),
    };
  }
  const readers = await createReaders({
    client,
    lakeFolder: path.join(dataDir, 'lake'),
    bundleFolder: path.resolve(dataDir, 'bundle', 'reader'),
    nodePath: process.execPath,
    uid: process.getuid?.(),
    spares: { count: settings.MARGAY_SPARE_READERS, log },
  });
  if (!readers.walls.isolatesTenants) log.warn('queries_without_wall', { reasons: readers.walls.reasons });
  return {
    ...readers,
    figures: () => ({ readersRunning: readers.running(), readersSpare: readers.waiting() }),
  };
}

/** The dispatcher counts on its places, the metrics show its figures. */
const announce = ({ database, log, ids }: Platform, places: number, figures: () => WorkerFigures) =>
  announceWorker({ database, log, workerId: ids.uuid(), places, figures });

/** Queries of users, and the processes in which they run. */
async function startQueries(runtime: Runtime, platform: Platform): Promise<Started & { figures(): WorkerFigures }> {
  const { database, objects, clock, log } = platform;
  const engine = await openQueryEngine(runtime, platform);
  const runner = startQueryRunner({
    database,
    engine,
    objects,
    clock,
    log,
    limits: defaultLimits,
    concurrency: queriesAtOnce,
  });
  return {
    figures: engine.figures,
    async stop() {
      await runner.stop();
      await engine.close();
    },
  };
}

/** Runs jobs: batches, deliveries, the loader of the lake, and queries of users. */
export async function startWorker(runtime: Runtime, platform: Platform): Promise<Started> {
  const { database, log, clock, objects, secrets, lake } = platform;
  const { settings } = runtime;
  const { pool } = await openSandbox(runtime, objects, log);
  const evaluator = createEvaluator({
    database,
    sandbox: pool,
    objects,
    lake,
    alerts: createAlertIntake({ clock }),
    systemErrors: createSystemErrorRecorder({ clock, ids: platform.ids }),
  });
  const normalizer = createNormalizer();
  const batches = createBatchProcessor({ database, objects, lake, clock, limits: defaultBodyLimits, normalizer });
  const outbound = openOutbound(platform, runtime);
  const deliverer = createDeliverer({ ...outbound, database, secrets, clock, log, random: Math.random });
  const jobs = createJobs({
    databaseUrl: runtime.databaseUrl,
    log,
    ...(settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL }),
  });
  const batchHandler = processBatch({ batches, evaluator });
  const deliveryHandler = deliverAlert({ deliverer });
  const errorHandler = raiseSystemError({
    systemErrorAlerts: createSystemErrorAlerts({ database, systemErrors: outbound.systemErrors, clock }),
  });
  const uploadHandler = processContentUpload({
    database,
    audit: createAuditRecorder({ database, clock }),
    sandbox: pool,
    objects,
  });
  assertOneHandlerEach(jobDefinitions, [batchHandler, deliveryHandler, errorHandler, uploadHandler]);
  const places = settings.MARGAY_WORKER_CONCURRENCY + placesForTheIdle;
  jobs.process(batchHandler, places);
  jobs.process(deliveryHandler, deliveriesAtOnce);
  jobs.process(errorHandler, 1);
  jobs.process(uploadHandler, 1);
  const loader = startLoader(lake.loader, log);
  const queries = await startQueries(runtime, platform);
  const announced = await announce(platform, places, () => ({ ...pool.status(), ...queries.figures() }));
  return {
    async stop() {
      await announced.stop();
      await queries.stop();
      await jobs.close();
      await loader.stop();
      await pool.close();
      await normalizer.close();
    },
  };
}
