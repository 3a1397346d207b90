import type { Log } from '#platform/log';
import type { Database } from '#platform/postgres';
import { forgetWorker, noteFigures, seeWorker, type WorkerFigures } from './worker-places-store.ts';

type Deps = {
  readonly database: Database;
  readonly log: Log;
  /** Of this process, for as long as it lives. */
  readonly workerId: string;
  /** Batches it takes at the same time. */
  readonly places: number;
  readonly everyMs?: number;
  /** What it holds and has done, for whoever watches the deployment. */
  readonly figures?: () => WorkerFigures;
};

const reason = 'a worker tells the dispatcher of its places';

/** Lets the dispatcher know of this worker until stopped; a killed one is forgotten after a few beats. */
export async function announceWorker({ database, log, workerId, places, everyMs = 5000, figures }: Deps): Promise<{
  stop(): Promise<void>;
}> {
  const beat = () =>
    database.withSystem(reason, async (tx) => {
      await seeWorker(tx, workerId, places);
      if (figures !== undefined) await noteFigures(tx, workerId, figures());
    });
  const timer = setInterval(() => {
    beat().catch((error: unknown) => log.warn('worker_not_announced', { error }));
  }, everyMs);
  await beat().catch((error: unknown) => log.warn('worker_not_announced', { error }));
  return {
    async stop() {
      clearInterval(timer);
      await database.withSystem(reason, (tx) => forgetWorker(tx, workerId)).catch(() => undefined);
    },
  };
}
