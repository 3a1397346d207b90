import type { Clock } from '#platform/clock';
import type { Jobs } from '#platform/jobs';
import type { Log } from '#platform/log';
import type { Database } from '#platform/postgres';
import { deliverAlertJob } from '../alert-jobs.ts';
import { deleteOldWindows } from '../dedup/window-store.ts';
import { listDue } from './delivery-store.ts';

type Deps = {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'enqueueAll'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs?: number;
};

export type DeliverySweeper = {
  /** One round, at once. Returns how many deliveries were put on the queue. */
  sweep(): Promise<number>;
  stop(): Promise<void>;
};

/** New deliveries come by the outbox; the sweep leaves them this long. */
const graceMs = 2000;
const perDestination = 20;
const roundMax = 500;
/** Batches can be replayed for as long as raw data is kept by default. */
const windowKeptMs = 30 * 24 * 3_600_000;

/**
 * Puts deliveries that are due on the queue: repetitions, and whatever a lost queue or a dead worker left behind. Running
 * in several processes is harmless, since an attempt begins by claiming the row.
 */
export function startDeliverySweeper({ database, jobs, clock, log, pollMs = 3000 }: Deps): DeliverySweeper {
  const sweep = async (): Promise<number> => {
    const now = clock.now();
    const before = new Date(now.getTime() - graceMs);
    const due = await database.withSystem('the delivery sweeper serves all tenants', async (tx) => {
      await deleteOldWindows(tx, new Date(now.getTime() - windowKeptMs), 1000);
      return listDue(tx, { now, before, perDestination, limit: roundMax });
    });
    // The minute is part of the id, since the queue refuses an id of which it keeps a failure.
    const minute = Math.floor(now.getTime() / 60_000);
    const items = due.map(({ tenantId, id, attempts }) => ({
      payload: { tenantId, deliveryId: id },
      jobId: `${id}-${attempts}-${minute}`,
    }));
    if (items.length > 0) await jobs.enqueueAll(deliverAlertJob, items);
    return items.length;
  };
  let running: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    running = sweep()
      .catch((error: unknown) => log.error('delivery_sweep_failed', { error }))
      .finally(() => (isRunning = false));
  }, pollMs);
  return {
    sweep,
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
