import type { TenantTx, Tx } from '#platform/postgres';
import type { Running, WaitingBatch } from '../dispatch/admission.ts';
import type { Batch, BatchCounters, BatchManifest } from './batch.ts';

/** Channel on which a committed batch announces itself to the dispatcher. */
export const batchChannel = 'margay_batches';

type BatchRow = {
  tenant_id: string;
  id: string;
  source_id: string;
  lane: Batch['lane'];
  state: Batch['state'];
  received_at: Date;
  object_key: string;
  parts: Batch['parts'];
  bytes: string;
  trace_id: string;
  replay_of: string | null;
  admissions: number;
  failures: number;
  manifest: BatchManifest | null;
  counters: BatchCounters | null;
  error: string | null;
  finished_at: Date | null;
};

const columns = `tenant_id, id, source_id, lane, state, received_at, object_key, parts, bytes, trace_id, replay_of,
  admissions, failures, manifest, counters, error, finished_at`;

const toBatch = (row: BatchRow): Batch => ({
  tenantId: row.tenant_id,
  id: row.id,
  sourceId: row.source_id,
  lane: row.lane,
  state: row.state,
  receivedAt: row.received_at,
  objectKey: row.object_key,
  parts: row.parts,
  bytes: Number(row.bytes),
  traceId: row.trace_id,
  replayOf: row.replay_of,
  admissions: row.admissions,
  failures: row.failures,
  manifest: row.manifest,
  counters: row.counters,
  error: row.error,
  finishedAt: row.finished_at,
});

type NewBatch = Pick<
  Batch,
  'id' | 'sourceId' | 'lane' | 'receivedAt' | 'objectKey' | 'parts' | 'bytes' | 'traceId' | 'replayOf'
>;

/** Adds a waiting batch and announces it when the transaction commits. */
export async function insertBatch(tx: TenantTx, batch: NewBatch): Promise<void> {
  await tx.execute(
    `INSERT INTO batches (tenant_id, id, source_id, lane, state, received_at, object_key, parts, bytes, trace_id, replay_of)
     VALUES ($1, $2, $3, $4, 'PENDING', $5, $6, $7, $8, $9, $10)`,
    [
      tx.tenantId,
      batch.id,
      batch.sourceId,
      batch.lane,
      batch.receivedAt,
      batch.objectKey,
      JSON.stringify(batch.parts),
      batch.bytes,
      batch.traceId,
      batch.replayOf,
    ],
  );
  await tx.query('SELECT pg_notify($1, $2)', [batchChannel, '']);
}

/** Claims an idempotency key for a batch. Returns the batch that holds it: the given one, or an earlier one. */
export async function claimKey(tx: TenantTx, sourceId: string, key: string, batchId: string): Promise<string> {
  const inserted = await tx.execute(
    `INSERT INTO batch_idempotency_keys (tenant_id, source_id, key, batch_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [tx.tenantId, sourceId, key, batchId],
  );
  if (inserted === 1) return batchId;
  const rows = await tx.query<{ batch_id: string }>(
    'SELECT batch_id FROM batch_idempotency_keys WHERE tenant_id = $1 AND source_id = $2 AND key = $3',
    [tx.tenantId, sourceId, key],
  );
  return rows[0]?.batch_id ?? batchId;
}

export async function findBatch(tx: TenantTx, id: string): Promise<Batch | undefined> {
  const rows = await tx.query<BatchRow>(`SELECT ${columns} FROM batches WHERE tenant_id = $1 AND id = $2`, [
    tx.tenantId,
    id,
  ]);
  return rows[0] === undefined ? undefined : toBatch(rows[0]);
}

/** Keeps the manifest of the first attempt; returns the one that counts. */
export async function saveManifest(tx: TenantTx, id: string, manifest: BatchManifest): Promise<BatchManifest> {
  const rows = await tx.query<{ manifest: BatchManifest }>(
    `UPDATE batches SET manifest = coalesce(manifest, $3) WHERE tenant_id = $1 AND id = $2 RETURNING manifest`,
    [tx.tenantId, id, JSON.stringify(manifest)],
  );
  return rows[0]?.manifest ?? manifest;
}

/** Marks a batch as done and tells the dispatcher that a place is free. */
export async function finishBatch(tx: TenantTx, id: string, counters: BatchCounters): Promise<void> {
  await tx.execute(
    `UPDATE batches SET state = 'DONE', counters = $3, error = NULL, lease_until = NULL, finished_at = now()
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id, JSON.stringify(counters)],
  );
  await tx.query('SELECT pg_notify($1, $2)', [batchChannel, '']);
}

/** Counts a failed attempt: waits longer after each, and is FAILED for good after `failuresMax`. Returns whether it is for good. */
export async function failBatch(tx: TenantTx, id: string, error: string, failuresMax: number): Promise<boolean> {
  const rows = await tx.query<{ state: string }>(
    `UPDATE batches SET failures = failures + 1, error = $3, lease_until = NULL,
       retry_at = now() + make_interval(secs => least(60, power(2, failures))),
       state = CASE WHEN failures + 1 >= $4 THEN 'FAILED' ELSE 'PENDING' END
     WHERE tenant_id = $1 AND id = $2 AND state = 'ADMITTED' RETURNING state`,
    [tx.tenantId, id, error.slice(0, 2000), failuresMax],
  );
  return rows[0]?.state === 'FAILED';
}

/** Lets the batch wait a little, without blame: what it needs is away. */
export async function postponeBatch(tx: TenantTx, id: string, error: string, seconds: number): Promise<void> {
  await tx.execute(
    `UPDATE batches SET error = $3, lease_until = NULL, retry_at = now() + make_interval(secs => $4), state = 'PENDING'
     WHERE tenant_id = $1 AND id = $2 AND state = 'ADMITTED'`,
    [tx.tenantId, id, error.slice(0, 2000), seconds],
  );
}

export async function extendLease(tx: TenantTx, id: string, seconds: number): Promise<void> {
  await tx.execute(
    `UPDATE batches SET lease_until = now() + make_interval(secs => $3)
     WHERE tenant_id = $1 AND id = $2 AND state = 'ADMITTED'`,
    [tx.tenantId, id, seconds],
  );
}

/** The oldest waiting batches of every source, `perSource` of each, so that one long queue cannot hide another. */
export async function listWaiting(tx: Tx, perSource: number): Promise<readonly WaitingBatch[]> {
  const rows = await tx.query<{ tenant_id: string; source_id: string; lane: Batch['lane']; id: string; bytes: string }>(
    `SELECT next.tenant_id, next.source_id, next.lane, next.id, next.bytes
     FROM (SELECT DISTINCT tenant_id, source_id, lane FROM batches WHERE state = 'PENDING') AS queue
     CROSS JOIN LATERAL (
       SELECT b.* FROM batches b WHERE b.state = 'PENDING' AND b.tenant_id = queue.tenant_id
         AND b.source_id = queue.source_id AND b.lane = queue.lane AND (b.retry_at IS NULL OR b.retry_at <= now())
       ORDER BY b.received_at LIMIT $1) AS next`,
    [perSource],
  );
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    sourceId: row.source_id,
    lane: row.lane,
    batchId: row.id,
    bytes: Number(row.bytes),
  }));
}

/** Batches at work, by source. */
export async function countRunning(tx: Tx): Promise<readonly Running[]> {
  const rows = await tx.query<{ tenant_id: string; source_id: string; count: number }>(
    `SELECT tenant_id, source_id, count(*)::int AS count FROM batches WHERE state = 'ADMITTED' GROUP BY 1, 2`,
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, sourceId: row.source_id, count: row.count }));
}

export type Admission = { readonly tenantId: string; readonly batchId: string; readonly admission: number };

/** Marks batches as started; only those that still waited are returned, each with the number of its admission. */
export async function admit(
  tx: Tx,
  batches: readonly WaitingBatch[],
  leaseSeconds: number,
): Promise<readonly Admission[]> {
  const rows = await tx.query<{ tenant_id: string; id: string; admissions: number }>(
    `UPDATE batches b SET state = 'ADMITTED', admissions = b.admissions + 1,
       lease_until = now() + make_interval(secs => $3)
     FROM unnest($1::uuid[], $2::uuid[]) AS chosen (tenant_id, id)
     WHERE b.tenant_id = chosen.tenant_id AND b.id = chosen.id AND b.state = 'PENDING'
     RETURNING b.tenant_id, b.id, b.admissions`,
    [batches.map((batch) => batch.tenantId), batches.map((batch) => batch.batchId), leaseSeconds],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, batchId: row.id, admission: row.admissions }));
}

/** Returns started batches whose worker went silent to the queue. A worker that still lives does no harm: effects happen once. */
export async function releaseExpired(tx: Tx): Promise<number> {
  return tx.execute(
    `UPDATE batches SET state = 'PENDING', lease_until = NULL WHERE state = 'ADMITTED' AND lease_until < now()`,
  );
}

/** Bytes and age of what a tenant has waiting, for back-pressure. */
export async function backlogByTenant(
  tx: Tx,
): Promise<ReadonlyMap<string, { readonly bytes: number; readonly ageSeconds: number }>> {
  const rows = await tx.query<{ tenant_id: string; bytes: string; age_seconds: number }>(
    `SELECT tenant_id, sum(bytes) AS bytes, extract(epoch FROM now() - min(stored_at))::float8 AS age_seconds
     FROM batches WHERE state IN ('PENDING', 'ADMITTED') GROUP BY tenant_id`,
  );
  return new Map(rows.map((row) => [row.tenant_id, { bytes: Number(row.bytes), ageSeconds: row.age_seconds }]));
}

/** Lets a FAILED batch be tried again from the beginning, with the manifest it has. */
export async function reopenBatch(tx: TenantTx, id: string): Promise<void> {
  await tx.execute(
    `UPDATE batches SET state = 'PENDING', failures = 0, retry_at = NULL, error = NULL WHERE tenant_id = $1 AND id = $2 AND state = 'FAILED'`,
    [tx.tenantId, id],
  );
  await tx.query('SELECT pg_notify($1, $2)', [batchChannel, '']);
}

/** Replays of a batch, oldest first. */
export async function listReplays(tx: TenantTx, id: string): Promise<readonly Batch[]> {
  const rows = await tx.query<BatchRow>(
    `SELECT ${columns} FROM batches WHERE tenant_id = $1 AND replay_of = $2 ORDER BY received_at, id`,
    [tx.tenantId, id],
  );
  return rows.map(toBatch);
}
