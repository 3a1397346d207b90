import type { Clock } from '#platform/clock';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import { deleteOldQueries } from './query-store.ts';
import { deleteResult } from './result-store.ts';

type Deps = { readonly database: Database; readonly objects: ObjectStore; readonly clock: Clock };

const perRound = 500;
const dayMs = 86_400_000;
/** How long queries and their results are kept. */
const retentionDays = 30;

/** Forgets old queries with their results. Returns how many; `perRound` means that there may be more. */
export function createQueryRetention({ database, objects, clock }: Deps) {
  return {
    perRound,
    async run(): Promise<number> {
      const before = new Date(clock.now().getTime() - retentionDays * dayMs);
      const gone = await database.withSystem('retention looks at all tenants', (tx) =>
        deleteOldQueries(tx, before, perRound),
      );
      for (const { tenantId, id } of gone) await deleteResult(objects, tenantId, id);
      return gone.length;
    },
  };
}
