import type { Log } from '#platform/log';
import type { Database, Tx } from '#platform/postgres';
import {
  type Admission,
  admit,
  batchChannel,
  countRunning,
  listWaiting,
  releaseExpired,
} from '../batches/batch-store.ts';
import { admitBatches, type AdmissionLimits, type Fairness, noHistory } from './admission.ts';
import { countPlaces } from './worker-places-store.ts';

type Limits = {
  /** Of all places of the workers, what one tenant may have while others are idle. Between 0 and 1. */
  readonly tenantShare: number;
  /** Bytes each tenant may start per round. */
  readonly quantumBytes: number;
  /** A started batch whose worker has not been heard of for this long waits again. */
  readonly leaseSeconds: number;
  readonly pollMs: number;
};

type Deps = {
  readonly database: Database;
  readonly log: Log;
  readonly limits: Limits;
  /** Puts admitted batches on the short queue that workers read. */
  readonly enqueue: (admissions: readonly Admission[]) => Promise<void>;
};

/** Any constant: whoever holds this lock is the one dispatcher of the deployment. */
const leaderLock = 7_714_212;

/** Each worker keeps one of its places for sources that have nothing at work. */
function admissionLimits(
  { workers, places }: { readonly workers: number; readonly places: number },
  { tenantShare, quantumBytes }: Limits,
): AdmissionLimits {
  const reserved = Math.min(workers, places - workers);
  const total = places - reserved;
  return { perTenant: Math.max(1, Math.ceil(total * tenantShare)), total, reserved, quantumBytes };
}

async function isLeader(tx: Tx): Promise<boolean> {
  const rows = await tx.query<{ leads: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS leads', [leaderLock]);
  return rows[0]?.leads === true;
}

/**
 * Moves waiting batches to the workers' queue, fairly. The backlog lives in Postgres: should the queue be lost, only
 * admissions are, and their leases run out.
 */
export async function startDispatcher(deps: Deps): Promise<{ stop(): Promise<void> }> {
  let history: Fairness = noHistory;
  let isStopped = false;
  let wake: () => void = () => undefined;
  let isWoken = false;

  const round = async (): Promise<number> => {
    const admissions = await deps.database.withSystem('the dispatcher serves all tenants', async (tx) => {
      if (!(await isLeader(tx))) return [];
      const released = await releaseExpired(tx);
      if (released > 0) deps.log.warn('batch_leases_expired', { batches: released });
      const limits = admissionLimits(await countPlaces(tx), deps.limits);
      const waiting = await listWaiting(tx, limits.perTenant + 1);
      if (waiting.length === 0) return [];
      const decision = admitBatches(waiting, await countRunning(tx), limits, history);
      history = decision.history;
      return admit(tx, decision.admitted, deps.limits.leaseSeconds);
    });
    if (admissions.length > 0) await deps.enqueue(admissions);
    return admissions.length;
  };
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, deps.limits.pollMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (isWoken || isStopped) wake();
    });
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      isWoken = false;
      try {
        await round();
      } catch (error) {
        deps.log.error('dispatch_failed', { error });
      }
      if (!isWoken) await sleep();
    }
  };
  const stopListening = await deps.database.listen(batchChannel, () => {
    isWoken = true;
    wake();
  });
  const done = loop();
  return {
    async stop() {
      isStopped = true;
      wake();
      await stopListening();
      await done;
    },
  };
}
