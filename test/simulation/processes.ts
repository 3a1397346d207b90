import {
  createAlertIntake,
  createDeliverer,
  createSystemErrorAlerts,
  createWebhookSender,
  startDeliverySweeper,
} from '#alerts';
import { createEvaluator, deleteUnusedRevisions, type SandboxPool } from '#detections';
import {
  announceWorker,
  createBatchProcessor,
  createHttpReceiver,
  createIntake,
  defaultBodyLimits,
  defaultIntakeLimits,
  type HttpReceiver,
  processBatchJob,
  startDispatcher,
} from '#ingestion';
import { deliverAlert, jobDefinitions, processBatch, raiseSystemError } from '#jobs';
import { createLake, startLoader } from '#lake';
import type { LakeLayout } from '../../src/lake/lake-table.ts';
import type { Clock } from '#platform/clock';
import type { HttpClient } from '#platform/http-client';
import type { Ids } from '#platform/ids';
import { startOutboxRelay } from '#platform/jobs';
import type { LakeClient } from '#platform/lake-client';
import type { Log } from '#platform/log';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import { createSystemErrorRecorder } from '#system-errors';
import type { ModelJobs } from './model/jobs.ts';

/** Everything a process of the product is given from outside; mutations replace parts of it. */
export type Given = {
  readonly database: Database;
  readonly objects: ObjectStore;
  readonly lakeClient: LakeClient;
  readonly jobs: ModelJobs;
  readonly http: HttpClient;
  readonly sandbox: Pick<SandboxPool, 'evaluate'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly random: () => number;
  readonly layout: LakeLayout;
};

/** Parts that a mutation may replace on their way from one room to another. */
export type Seams = {
  readonly lake: (lake: ReturnType<typeof createLake>) => ReturnType<typeof createLake>;
  readonly alerts: (alerts: ReturnType<typeof createAlertIntake>, given: Given) => ReturnType<typeof createAlertIntake>;
  readonly batches: (batches: ReturnType<typeof createBatchProcessor>) => ReturnType<typeof createBatchProcessor>;
};

export const noSeams: Seams = {
  lake: (lake) => lake,
  alerts: (alerts) => alerts,
  batches: (batches) => batches,
};

/** Stored secrets are their own text here: encryption is not the matter. */
const secrets = {
  encrypt: async (_tx: unknown, _purpose: string, text: string) => Buffer.from(text),
  decrypt: async (_tx: unknown, _purpose: string, bytes: Uint8Array) => Buffer.from(bytes).toString(),
};

export function startIngest(given: Given): HttpReceiver {
  const { database } = given;
  const intake = createIntake({ ...given, limits: defaultIntakeLimits });
  return createHttpReceiver({ database, secrets, intake, limits: defaultBodyLimits });
}

/** Jobs of a kind that a worker runs at the same time. */
const places = 3;

export function startWorker(given: Given, seams: Seams): void {
  const { database, log, jobs, clock } = given;
  const lake = seams.lake(createLake({ ...given, client: given.lakeClient }));
  const alerts = seams.alerts(createAlertIntake(given), given);
  const batches = seams.batches(createBatchProcessor({ ...given, lake, limits: defaultBodyLimits }));
  const systemErrors = createSystemErrorRecorder(given);
  const evaluator = createEvaluator({ ...given, lake, alerts, systemErrors });
  const webhooks = createWebhookSender(given);
  const consoleUrl = 'https://siem.example.com';
  const deliverer = createDeliverer({ ...given, secrets, webhooks, systemErrors, consoleUrl });
  const handlers = [
    processBatch({ batches, evaluator }),
    deliverAlert({ deliverer }),
    raiseSystemError({ systemErrorAlerts: createSystemErrorAlerts({ database, systemErrors, clock }) }),
  ];
  for (const handler of handlers) jobs.process(handler, places);
  void announceWorker({ database, log, workerId: given.ids.uuid(), places });
  startLoader(lake.loader, log, 5000);
}

const dispatchLimits = { tenantShare: 0.75, quantumBytes: 1500, leaseSeconds: 30, pollMs: 7000 };

export async function startScheduler(given: Given): Promise<void> {
  const { jobs, database } = given;
  setInterval(() => {
    void database.withSystem('housekeeping serves all tenants', deleteUnusedRevisions).catch(() => undefined);
  }, 30_000);
  startDeliverySweeper({ ...given, pollMs: 9000 });
  await startOutboxRelay({ ...given, definitions: jobDefinitions, pollMs: 8000 });
  await startDispatcher({
    ...given,
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
}
