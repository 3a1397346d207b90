import {
  deleteOldStatistics,
  deleteOldUploads,
  deleteUnusedRevisions,
  forgetEvaluations,
  sweepCache,
} from '#detections';
import { deleteEndedSessions } from '#identity';
import { createBatchRetention } from '#ingestion';
import type { Clock } from '#platform/clock';
import { createQueryRetention } from '#search';
import type { HousekeepingTask } from './housekeeping.ts';
import type { Platform } from './parts.ts';

const sessionsPerRound = 10_000;

/** What is forgotten when, in the order in which one thing frees the next. docs/operations.md has the table. */
export function retentionTasks(
  { database, objects, clock }: Pick<Platform, 'database' | 'objects'> & { readonly clock: Clock },
  { retentionDays }: { readonly retentionDays: number },
): readonly HousekeepingTask[] {
  const batches = createBatchRetention({ database, objects, clock, retentionDays, forgetResults: forgetEvaluations });
  const orphans = async (): Promise<number> => {
    const tenants = await database.withSystem('retention looks at all tenants', (tx) =>
      tx.query<{ id: string }>('SELECT id FROM tenants ORDER BY id'),
    );
    let deleted = 0;
    for (const { id } of tenants) deleted += await batches.deleteOrphans(id);
    return deleted;
  };
  const queries = createQueryRetention({ database, objects, clock });
  return [
    { name: 'queries', run: () => queries.run(), fullRound: queries.perRound },
    { name: 'batches', run: () => batches.forgetBatches(), fullRound: 1 },
    { name: 'orphaned raw objects', run: orphans, fullRound: Infinity },
    { name: 'idempotency keys', run: () => batches.forgetIdempotencyKeys(), fullRound: 10_000 },
    {
      name: 'content revisions',
      run: () => database.withSystem('retention looks at all tenants', deleteUnusedRevisions),
      fullRound: Infinity,
    },
    {
      name: 'statistics of detections',
      run: () => database.withSystem('retention looks at all tenants', deleteOldStatistics),
      fullRound: Infinity,
    },
    {
      name: 'cached values of detections',
      run: () => database.withSystem('retention looks at all tenants', (tx) => sweepCache(tx, clock.now())),
      fullRound: 10_000,
    },
    {
      name: 'receipts of uploads',
      run: () => database.withSystem('retention looks at all tenants', deleteOldUploads),
      fullRound: Infinity,
    },
    {
      name: 'ended sessions',
      run: () =>
        database.withSystem('retention looks at all tenants', (tx) =>
          deleteEndedSessions(tx, clock.now(), sessionsPerRound),
        ),
      fullRound: sessionsPerRound,
    },
  ];
}
