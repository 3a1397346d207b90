import { deleteOldAttempts } from '#alerts';
import {
  createUploadRetention,
  deleteOldStatistics,
  deleteUnusedRevisions,
  forgetEvaluations,
  sweepCache,
} from '#detections';
import { deleteEndedSessions, effectiveRetention, listRetention, type RetentionLimits } from '#identity';
import { createBatchRetention } from '#ingestion';
import { forgetOldRows } from '#lake';
import type { Clock } from '#platform/clock';
import { createQueryRetention } from '#search';
import type { HousekeepingTask } from './housekeeping.ts';
import type { Platform } from './parts.ts';

const sessionsPerRound = 10_000;
const attemptsPerRound = 10_000;

/** The same work for each tenant, one after another. Returns how much was done. */
async function ofEveryTenant(
  database: Platform['database'],
  work: (tenantId: string) => Promise<number>,
): Promise<number> {
  const tenants = await database.withSystem('retention looks at all tenants', (tx) =>
    tx.query<{ id: string }>('SELECT id FROM tenants ORDER BY id'),
  );
  let done = 0;
  for (const { id } of tenants) done += await work(id);
  return done;
}

/** What detections leave behind. */
function detectionTasks(database: Platform['database'], clock: Clock): readonly HousekeepingTask[] {
  return [
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
  ];
}

/** What is forgotten when, in the order in which one thing frees the next. docs/operations.md has the table. */
export function retentionTasks(
  {
    database,
    objects,
    lakeClient: client,
    clock,
  }: Pick<Platform, 'database' | 'objects' | 'lakeClient'> & { readonly clock: Clock },
  limits: RetentionLimits,
): readonly HousekeepingTask[] {
  const own = async (name: keyof RetentionLimits): Promise<ReadonlyMap<string, number>> => {
    const choices = await database.withSystem('retention looks at all tenants', listRetention);
    return new Map([...choices].map(([tenantId, choice]) => [tenantId, effectiveRetention(choice, limits)[name]]));
  };
  const batches = createBatchRetention({
    database,
    objects,
    clock,
    retentionDays: limits.rawDays,
    ownDays: () => own('rawDays'),
    forgetResults: forgetEvaluations,
  });
  const lakeRows = async (): Promise<number> => {
    let deleted = 0;
    for (const [tenantId, days] of await own('eventDays'))
      if (days < limits.eventDays) deleted += await forgetOldRows({ database, client, clock }, tenantId, days);
    return deleted;
  };
  const attempts = async (): Promise<number> => {
    const keep = { days: limits.deliveryLogDays, ownDays: await own('deliveryLogDays') };
    return database.withSystem('retention looks at all tenants', (tx) =>
      deleteOldAttempts(tx, clock.now(), keep, attemptsPerRound),
    );
  };
  const uploads = createUploadRetention({ database, objects, clock });
  const orphans = () =>
    ofEveryTenant(database, async (id) => (await batches.deleteOrphans(id)) + (await uploads.deleteOrphans(id)));
  const queries = createQueryRetention({ database, objects, clock });
  return [
    { name: 'queries', run: () => queries.run(), fullRound: queries.perRound },
    { name: 'batches', run: () => batches.forgetBatches(), fullRound: 1 },
    { name: 'orphaned objects', run: orphans, fullRound: Infinity },
    { name: 'receipts of uploads', run: () => uploads.forgetReceipts(), fullRound: uploads.perRound },
    { name: 'rows of the lake', run: lakeRows, fullRound: Infinity },
    { name: 'delivery attempts', run: attempts, fullRound: attemptsPerRound },
    { name: 'idempotency keys', run: () => batches.forgetIdempotencyKeys(), fullRound: 10_000 },
    ...detectionTasks(database, clock),
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
