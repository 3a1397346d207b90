import type { Clock } from '#platform/clock';
import { isUuid } from '#platform/ids';
import type { Jobs } from '#platform/jobs';
import { type ObjectStore, tenantKey } from '#platform/objects';
import { type Database, mayRun } from '#platform/postgres';
import { giveUpUpload } from './apply-upload.ts';
import { processUploadJob } from './upload-jobs.ts';
import { deleteUpload, listOldUploads, listReceipts, listStranded, uploadKey } from './upload-store.ts';

type Deps = {
  readonly database: Database;
  readonly objects: Pick<ObjectStore, 'delete' | 'list'>;
  readonly clock: Clock;
};

export type UploadRetention = {
  readonly perRound: number;
  /** Forgets old receipts and what is left of their archives. Returns how many. */
  forgetReceipts(): Promise<number>;
  /** Deletes archives without a receipt: a crash left them before anybody was told of one. Returns how many. */
  deleteOrphans(tenantId: string): Promise<number>;
};

const perRound = 1000;
const youngMs = 24 * 3_600_000;

/** Ids begin with the milliseconds at which they were made. */
const madeAtMs = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

/** Decides how long uploads leave traces. Objects go before their rows: the next round finds what a crash leaves. */
export function createUploadRetention({ database, objects, clock }: Deps): UploadRetention {
  return {
    perRound,
    async forgetReceipts() {
      const old = await database.withSystem('retention looks at all tenants', (tx) => listOldUploads(tx, perRound));
      let forgotten = 0;
      for (const { tenantId, id } of old)
        forgotten += await database.withTenant(tenantId, async (tx) => {
          if (!(await mayRun(tx, 'deletions'))) return 0;
          await objects.delete(uploadKey(tenantId, id));
          await deleteUpload(tx, id);
          return 1;
        });
      return forgotten;
    },
    async deleteOrphans(tenantId) {
      const keys = await objects.list(`${tenantKey(tenantId, 'uploads')}/`, { limit: perRound });
      const ids = keys.map((key) => key.slice(key.lastIndexOf('/') + 1).replace(/\.zip$/, '')).filter(isUuid);
      const old = ids.filter((id) => madeAtMs(id) < clock.now().getTime() - youngMs);
      const known = await database.withTenant(tenantId, (tx) => listReceipts(tx, old));
      const orphans = old.filter((id) => !known.has(id));
      for (const id of orphans) await objects.delete(uploadKey(tenantId, id));
      return orphans.length;
    },
  };
}

/**
 * Puts uploads on the queue again whose job was lost with the queue, or with workers that died; gives up those that
 * nobody could finish within a day. Returns how many.
 */
export async function takeUpStranded(deps: Deps & { readonly jobs: Pick<Jobs, 'enqueueAll'> }): Promise<number> {
  const stranded = await deps.database.withSystem('uploads of all tenants are taken up again', listStranded);
  // The hour is part of the id, since the queue refuses an id of which it keeps a failure.
  const hour = Math.floor(deps.clock.now().getTime() / 3_600_000);
  const again = stranded.filter(({ isHopeless }) => !isHopeless);
  if (again.length > 0)
    await deps.jobs.enqueueAll(
      processUploadJob,
      again.map(({ tenantId, id }) => ({ payload: { tenantId, uploadId: id }, jobId: `${id}-${hour}` })),
    );
  for (const { tenantId, id, isHopeless } of stranded) if (isHopeless) await giveUpUpload(deps, tenantId, id);
  return stranded.length;
}
