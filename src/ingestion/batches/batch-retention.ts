import { forgetChunks, listUnloaded } from '#lake';
import type { Clock } from '#platform/clock';
import { isUuid } from '#platform/ids';
import { type ObjectStore, tenantKey } from '#platform/objects';
import { type Database, mayRun, type TenantTx } from '#platform/postgres';
import { deleteBatches, deleteOldKeys, listNamed, listOver, lockOver } from './batch-retention-store.ts';

type Deps = {
  readonly database: Database;
  readonly objects: Pick<ObjectStore, 'delete' | 'list'>;
  readonly clock: Clock;
  /** How long a batch that is done, its raw bytes and its results are kept. */
  readonly retentionDays: number;
  /** Tenants that keep them for a shorter time, and for how many days. */
  readonly ownDays: () => Promise<ReadonlyMap<string, number>>;
  /** Deletes what another room keeps of these batches; returns the keys of its objects. */
  readonly forgetResults: (tx: TenantTx, batchIds: readonly string[]) => Promise<readonly string[]>;
};

export type BatchRetention = {
  /** Forgets batches that are over and old, a limited number per call. Returns how many. */
  forgetBatches(): Promise<number>;
  /** Deletes raw objects of past days that no batch names: a crash left them before anybody was told they are safe. */
  deleteOrphans(tenantId: string): Promise<number>;
  forgetIdempotencyKeys(): Promise<number>;
};

const dayMs = 24 * 3_600_000;
/** A batch that failed holds events nobody has seen yet. */
const failedFactor = 3;
const keyDays = 14;
const batchesPerCall = 500;
const keysPerCall = 10_000;
const orphansPerPage = 1000;

async function forget({ database, objects, forgetResults }: Deps, tenantId: string, ids: readonly string[]) {
  return database.withTenant(tenantId, async (tx) => {
    // A backup copies what the rows of its moment name; the next round comes in an hour.
    if (!(await mayRun(tx, 'deletions'))) return 0;
    const locked = await lockOver(tx, ids);
    const unloaded = await listUnloaded(
      tx,
      locked.map(({ id }) => id),
    );
    const over = locked.filter(({ id }) => !unloaded.has(id));
    const overIds = over.map(({ id }) => id);
    const keys = [
      ...over.flatMap(({ objectKey }) => objectKey ?? []),
      ...(await forgetChunks(tx, overIds)),
      ...(await forgetResults(tx, overIds)),
    ];
    // Objects go first: what a crash leaves are rows, and the next round finds them again.
    for (const key of keys) await objects.delete(key);
    await deleteBatches(tx, overIds);
    return overIds.length;
  });
}

async function deleteOrphans({ database, objects, clock, retentionDays }: Deps, tenantId: string): Promise<number> {
  const today = new Date(clock.now().getTime() - retentionDays * dayMs).toISOString().slice(0, 10);
  const end = tenantKey(tenantId, 'raw', today);
  let deleted = 0;
  let startAfter: string | undefined;
  for (;;) {
    const options = { limit: orphansPerPage, ...(startAfter === undefined ? {} : { startAfter }) };
    const page = await objects.list(`${tenantKey(tenantId, 'raw')}/`, options);
    const old = page.filter((key) => key < end);
    const idOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
    const ids = old.map(idOf).filter(isUuid);
    const named = await database.withTenant(tenantId, (tx) => listNamed(tx, ids));
    for (const key of old) {
      if (named.has(idOf(key))) continue;
      await objects.delete(key);
      deleted += 1;
    }
    startAfter = old.at(-1);
    if (old.length < orphansPerPage) return deleted;
  }
}

/** Decides how long batches are kept. Nothing that waits, is at work, or has rows on their way to the lake is touched. */
export function createBatchRetention(deps: Deps): BatchRetention {
  const { database, clock, retentionDays } = deps;
  const daysAgo = (days: number): Date => new Date(clock.now().getTime() - days * dayMs);
  return {
    async forgetBatches() {
      const keep = { days: retentionDays, ownDays: await deps.ownDays(), failedFactor };
      const over = await database.withSystem('retention looks at all tenants', (tx) =>
        listOver(tx, clock.now(), keep, batchesPerCall),
      );
      let forgotten = 0;
      for (const [tenantId, batches] of Map.groupBy(over, (batch) => batch.tenantId))
        forgotten += await forget(
          deps,
          tenantId,
          batches.map(({ id }) => id),
        );
      return forgotten;
    },
    deleteOrphans: (tenantId) => deleteOrphans(deps, tenantId),
    forgetIdempotencyKeys: () =>
      database.withSystem('retention looks at all tenants', (tx) => deleteOldKeys(tx, daysAgo(keyDays), keysPerCall)),
  };
}
