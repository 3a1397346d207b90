import { type Database, mayRun, type TenantTx, type Tx } from '#platform/postgres';
import type { Log } from '#platform/log';
import type { JobDefinition } from './job.ts';
import type { Jobs } from './jobs.ts';

const channel = 'margay_outbox';

/**
 * Adds a job in the transaction of the change it follows from: it exists exactly if the change does. A relay moves it
 * to the queue within milliseconds of the commit.
 */
export async function sendInTransaction<Payload>(
  tx: TenantTx,
  job: JobDefinition<Payload>,
  payload: Payload,
): Promise<void> {
  await sendAllInTransaction(tx, job, [payload]);
}

/** Like `sendInTransaction` for many jobs of one kind, in one statement. */
export async function sendAllInTransaction<Payload>(
  tx: TenantTx,
  job: JobDefinition<Payload>,
  payloads: readonly Payload[],
): Promise<void> {
  if (payloads.length === 0) return;
  await tx.execute('INSERT INTO outbox_jobs (tenant_id, job_name, payload) SELECT $1, $2, unnest($3::jsonb[])', [
    tx.tenantId,
    job.name,
    payloads.map((payload) => JSON.stringify(job.payload.parse(payload))),
  ]);
  await tx.query('SELECT pg_notify($1, $2)', [channel, '']);
}

type OutboxRow = { id: string; job_name: string; payload: unknown };

const batchSize = 500;

/** Takes waiting jobs, oldest first; other relays skip them until this transaction ends. */
const take = (tx: Tx) =>
  tx.query<OutboxRow>('SELECT id, job_name, payload FROM outbox_jobs ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED', [
    batchSize,
  ]);

type Deps = {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'enqueueAll'>;
  readonly definitions: readonly JobDefinition[];
  readonly log: Log;
  readonly pollMs?: number;
};

/**
 * Moves outbox jobs to the queue, on notice and every two seconds. A crash between queue and delete repeats the move;
 * the job id made of the outbox id lets the queue know it already has it.
 */
export async function startOutboxRelay({
  database,
  jobs,
  definitions,
  log,
  pollMs = 2000,
}: Deps): Promise<{ stop(): Promise<void> }> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const move = (): Promise<number> =>
    database.withSystem('the outbox relay serves all tenants', async (tx) => {
      if (!(await mayRun(tx, 'outbox'))) return 0;
      const rows = await take(tx);
      for (const [name, group] of Map.groupBy(rows, (row) => row.job_name)) {
        const definition = byName.get(name);
        if (definition === undefined)
          throw new Error(`The outbox holds a job "${name}" that this version does not know.`);
        await jobs.enqueueAll(
          definition,
          group.map((row) => ({ payload: row.payload, jobId: `outbox-${row.id}` })),
        );
      }
      if (rows.length > 0)
        await tx.execute('DELETE FROM outbox_jobs WHERE id = ANY($1::bigint[])', [rows.map((row) => row.id)]);
      return rows.length;
    });
  let running: Promise<void> | undefined;
  let isAgain = false;
  const drain = async (): Promise<void> => {
    do {
      isAgain = false;
      while ((await move()) === batchSize);
    } while (isAgain);
  };
  const wake = (): void => {
    isAgain = true;
    running ??= drain()
      .catch((error: unknown) => log.error('outbox_relay_failed', { error }))
      .finally(() => (running = undefined));
  };
  const stopListening = await database.listen(channel, wake);
  const timer = setInterval(wake, pollMs);
  return {
    async stop() {
      clearInterval(timer);
      await stopListening();
      await running;
    },
  };
}
