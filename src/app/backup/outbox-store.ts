import { z } from 'zod';
import type { Tx } from '#platform/postgres';

const queued = z.object({ name: z.string(), payload: z.looseObject({ tenantId: z.uuid() }) });

/** Puts jobs that were on a queue back into the outbox; those of tenants that are gone are dropped. */
export async function insertOutboxJobs(tx: Tx, jobs: readonly unknown[]): Promise<void> {
  const parsed = jobs.map((job) => queued.parse(job));
  await tx.execute(
    `INSERT INTO outbox_jobs (tenant_id, job_name, payload)
     SELECT t.id, j ->> 'name', j -> 'payload' FROM jsonb_array_elements($1::jsonb) j
     JOIN tenants t ON t.id = (j -> 'payload' ->> 'tenantId')::uuid`,
    [JSON.stringify(parsed)],
  );
}
