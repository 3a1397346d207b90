import type { TenantTx, Tx } from '#platform/postgres';

export type OverBatch = { readonly tenantId: string; readonly id: string };

/**
 * Batches that are over and older than their tenant keeps them, those that failed `failedFactor` times as old, oldest
 * first. `ownDays` holds the tenants that keep them for another time than `days`. A batch stays while a replay of it is kept.
 */
export async function listOver(
  tx: Tx,
  now: Date,
  keep: { readonly days: number; readonly ownDays: ReadonlyMap<string, number>; readonly failedFactor: number },
  limit: number,
): Promise<readonly OverBatch[]> {
  const own = [...keep.ownDays].map(([tenantId, days]) => ({ tenant_id: tenantId, days }));
  const daysMin = Math.min(keep.days, ...keep.ownDays.values());
  const rows = await tx.query<{ tenant_id: string; id: string }>(
    `SELECT b.tenant_id, b.id FROM batches b
     LEFT JOIN jsonb_to_recordset($4::jsonb) AS own (tenant_id uuid, days integer) ON own.tenant_id = b.tenant_id
     WHERE b.state IN ('DONE', 'FAILED') AND b.received_at < $1::timestamptz - make_interval(days => $3)
       AND b.received_at < $1::timestamptz - make_interval(
         days => coalesce(own.days, $2) * CASE b.state WHEN 'DONE' THEN 1 ELSE $5::integer END)
       AND NOT EXISTS (SELECT FROM batches r WHERE r.tenant_id = b.tenant_id AND r.replay_of = b.id)
     ORDER BY b.received_at LIMIT $6`,
    [now, keep.days, daysMin, JSON.stringify(own), keep.failedFactor, limit],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, id: row.id }));
}

/** Locks those of the batches that are still over; a replay that begins meanwhile waits and then finds them gone. */
export async function lockOver(
  tx: TenantTx,
  ids: readonly string[],
): Promise<readonly { readonly id: string; readonly objectKey: string | null }[]> {
  const rows = await tx.query<{ id: string; object_key: string; replay_of: string | null }>(
    `SELECT id, object_key, replay_of FROM batches b WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
       AND state IN ('DONE', 'FAILED')
       AND NOT EXISTS (SELECT FROM batches r WHERE r.tenant_id = b.tenant_id AND r.replay_of = b.id)
     FOR UPDATE SKIP LOCKED`,
    [tx.tenantId, ids],
  );
  // A replay reads the object of the batch it replays.
  return rows.map((row) => ({ id: row.id, objectKey: row.replay_of === null ? row.object_key : null }));
}

export async function deleteBatches(tx: TenantTx, ids: readonly string[]): Promise<void> {
  await tx.execute('DELETE FROM batches WHERE tenant_id = $1 AND id = ANY ($2::uuid[])', [tx.tenantId, ids]);
}

/** Idempotency keys work for 14 days. */
export async function deleteOldKeys(tx: Tx, before: Date, limit: number): Promise<number> {
  return tx.execute(
    `DELETE FROM batch_idempotency_keys WHERE (tenant_id, source_id, key) IN (
       SELECT tenant_id, source_id, key FROM batch_idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
    [before, limit],
  );
}

/** Which of the raw objects a batch names. */
export async function listNamed(tx: TenantTx, batchIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>('SELECT id FROM batches WHERE tenant_id = $1 AND id = ANY ($2::uuid[])', [
    tx.tenantId,
    batchIds,
  ]);
  return new Set(rows.map((row) => row.id));
}
