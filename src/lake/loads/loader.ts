import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { LakeClient } from '#platform/lake-client';
import type { Log } from '#platform/log';
import type { ObjectStore } from '#platform/objects';
import { type Database, mayRun } from '#platform/postgres';
import { getTableById } from '../placement-store.ts';
import type { TableKeeper } from '../table-keeper.ts';
import { executeLoad } from './load-executor.ts';
import {
  extendLoadLease,
  finishLoad,
  insertLoad,
  leaseLoads,
  listTriedLoads,
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
  /** Plans and runs what waits now. Returns how many loads reached the lake; none while loads are paused. */
  round(): Promise<number>;
  /**
   * For who has paused loads: runs every load that was tried and is not known to have arrived, also one that another
   * process still works at, since its token lets only one of the two write. Then a load is in the lake or was never
   * tried. Throws when the lake does not take one.
   */
  finishTried(): Promise<void>;
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
      if (!(await mayRun(tx, 'loads'))) return;
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
  const write = async (load: Load): Promise<void> => {
    const table = await database.withTenant(load.tenantId, (tx) => getTableById(tx, load.tenantId, load.tableId));
    const failuresTable = (tenantId: string) => deps.keeper.ensure(tenantId, 'classification_failures', '');
    const { refused } = await executeLoad({ client: deps.client, objects: deps.objects, failuresTable }, load, table);
    await database.withTenant(load.tenantId, (tx) => finishLoad(tx, load.id));
    if (refused > 0) log.warn('lake_refused_rows', { tenantId: load.tenantId, loadId: load.id, rows: refused });
  };
  /** The rows are in the lake; a chunk object left over by a crash or a backup is deleted with its batch. */
  const deleteChunks = (load: Load): Promise<void> =>
    database.withSystem('the loader deletes what is loaded', async (tx) => {
      if (!(await mayRun(tx, 'deletions'))) return;
      for (const chunk of load.chunks) await deps.objects.delete(chunk.objectKey).catch(() => undefined);
    });
  const run = async (load: Load): Promise<boolean> => {
    const renewal = keepLease(load);
    try {
      await write(load);
    } catch (error) {
      log.error('load_failed', { tenantId: load.tenantId, loadId: load.id, attempts: load.attempts, error });
      await database.withTenant(load.tenantId, (tx) => postponeLoad(tx, load.id, errorText(error)));
      return false;
    } finally {
      clearInterval(renewal);
    }
    await deleteChunks(load).catch((error: unknown) => log.warn('chunks_not_deleted', { loadId: load.id, error }));
    return true;
  };
  return {
    async round() {
      await plan();
      const loads = await database.withSystem('the loader works for all tenants', async (tx) =>
        (await mayRun(tx, 'loads')) ? leaseLoads(tx, 4, leaseSeconds) : [],
      );
      const done = await Promise.all(loads.map(run));
      return done.filter(Boolean).length;
    },
    async finishTried() {
      const loads = await database.withSystem('a backup wants every load decided', listTriedLoads);
      for (const load of loads) await write(load);
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
