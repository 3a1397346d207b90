import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { LakeClient } from '#platform/lake-client';
import type { Log } from '#platform/log';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import { getTableById } from '../placement-store.ts';
import type { TableKeeper } from '../table-keeper.ts';
import { executeLoad } from './load-executor.ts';
import {
  extendLoadLease,
  finishLoad,
  insertLoad,
  leaseLoads,
  type Load,
  lockWaitingTables,
  postponeLoad,
} from './load-store.ts';

type Deps = {
  readonly database: Database;
  readonly client: Pick<LakeClient, 'insert'>;
  readonly objects: Pick<ObjectStore, 'get' | 'delete'>;
  readonly keeper: TableKeeper;
  readonly ids: Ids;
  readonly log: Log;
};

export type Loader = {
  /** Plans and runs what waits now. Returns how many loads reached the lake. */
  round(): Promise<number>;
};

const loadLimits = { bytes: 50 * 1024 * 1024, rows: 100_000 };
const tablesPerRound = 64;
/** Longer than a few renewals, and short enough that rows of a killed worker hardly wait. */
const leaseSeconds = 30;
const leaseRenewalMs = 7000;

export function createLoader(deps: Deps): Loader {
  const { database, log } = deps;
  const plan = () =>
    database.withSystem('the loader plans for all tenants', async (tx) => {
      for (const table of await lockWaitingTables(tx, tablesPerRound))
        await insertLoad(tx, deps.ids.uuid(), table, loadLimits);
    });
  const keepLease = (load: Load): NodeJS.Timeout =>
    setInterval(
      () =>
        void database
          .withTenant(load.tenantId, (tx) => extendLoadLease(tx, load.id, leaseSeconds))
          .catch(() => undefined),
      leaseRenewalMs,
    );
  const run = async (load: Load): Promise<boolean> => {
    const renewal = keepLease(load);
    try {
      const table = await database.withTenant(load.tenantId, (tx) => getTableById(tx, load.tenantId, load.tableId));
      const failuresTable = (tenantId: string) => deps.keeper.ensure(tenantId, 'classification_failures', '');
      const { refused } = await executeLoad({ client: deps.client, objects: deps.objects, failuresTable }, load, table);
      await database.withTenant(load.tenantId, (tx) => finishLoad(tx, load.id));
      if (refused > 0) log.warn('lake_refused_rows', { tenantId: load.tenantId, loadId: load.id, rows: refused });
    } catch (error) {
      log.error('load_failed', { tenantId: load.tenantId, loadId: load.id, attempts: load.attempts, error });
      await database.withTenant(load.tenantId, (tx) => postponeLoad(tx, load.id, errorText(error)));
      return false;
    } finally {
      clearInterval(renewal);
    }
    // The rows are in the lake; a chunk object left over by a crash here is harmless and swept later.
    for (const chunk of load.chunks) await deps.objects.delete(chunk.objectKey).catch(() => undefined);
    return true;
  };
  return {
    async round() {
      await plan();
      const loads = await database.withSystem('the loader works for all tenants', (tx) =>
        leaseLoads(tx, 4, leaseSeconds),
      );
      const done = await Promise.all(loads.map(run));
      return done.filter(Boolean).length;
    },
  };
}

/** Runs the loader until stopped, resting when nothing waits. */
export function startLoader(loader: Loader, log: Log, restMs = 250): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const loaded = await loader.round().catch((error: unknown) => {
        log.error('loader_failed', { error });
        return 0;
      });
      if (loaded === 0) await sleep(restMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const done = loop();
  return {
    async stop() {
      stopped.abort();
      await done;
    },
  };
}
