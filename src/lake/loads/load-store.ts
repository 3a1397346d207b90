import type { TenantTx, Tx } from '#platform/postgres';

export type NewChunk = {
  readonly id: string;
  readonly tableId: string;
  readonly batchId: string;
  readonly objectKey: string;
  readonly rows: number;
  readonly bytes: number;
};

/** Registers rows that wait to be loaded. A batch has one chunk per table, so a repetition changes nothing. */
export async function insertChunks(tx: TenantTx, chunks: readonly NewChunk[]): Promise<void> {
  for (const chunk of chunks) {
    await tx.execute(
      `INSERT INTO lake_chunks (tenant_id, id, table_id, batch_id, object_key, row_count, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (tenant_id, batch_id, table_id) DO NOTHING`,
      [tx.tenantId, chunk.id, chunk.tableId, chunk.batchId, chunk.objectKey, chunk.rows, chunk.bytes],
    );
  }
}

export type WaitingTable = { readonly tenantId: string; readonly tableId: string };

/** Tables with waiting chunks and no load on its way, not loaded within the last second; locked, so that one planner has each. */
export async function lockWaitingTables(tx: Tx, limit: number): Promise<readonly WaitingTable[]> {
  const rows = await tx.query<{ tenant_id: string; id: string }>(
    `SELECT t.tenant_id, t.id FROM lake_tables t
     WHERE (t.last_load_at IS NULL OR t.last_load_at < now() - interval '1 second')
       AND EXISTS (SELECT FROM lake_chunks c WHERE c.tenant_id = t.tenant_id AND c.table_id = t.id AND c.load_id IS NULL)
       AND NOT EXISTS (SELECT FROM lake_loads l WHERE l.tenant_id = t.tenant_id AND l.table_id = t.id AND l.state = 'PENDING')
     ORDER BY t.last_load_at NULLS FIRST LIMIT $1 FOR UPDATE OF t SKIP LOCKED`,
    [limit],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, tableId: row.id }));
}

/** Makes one load of the oldest waiting chunks, up to the limits; a single larger chunk is a load of its own. */
export async function insertLoad(
  tx: Tx,
  loadId: string,
  { tenantId, tableId }: WaitingTable,
  limits: { readonly bytes: number; readonly rows: number },
): Promise<void> {
  await tx.execute(
    `INSERT INTO lake_loads (tenant_id, id, table_id, state, row_count, bytes) VALUES ($1, $2, $3, 'PENDING', 0, 0)`,
    [tenantId, loadId, tableId],
  );
  await tx.execute(
    `WITH waiting AS (
       SELECT id, sum(bytes) OVER ordered - bytes AS bytes_before, sum(row_count) OVER ordered - row_count AS rows_before
       FROM lake_chunks WHERE tenant_id = $1 AND table_id = $2 AND load_id IS NULL
       WINDOW ordered AS (ORDER BY created_at, id))
     UPDATE lake_chunks c SET load_id = $3 FROM waiting w
     WHERE c.tenant_id = $1 AND c.id = w.id AND w.bytes_before < $4 AND w.rows_before < $5`,
    [tenantId, tableId, loadId, limits.bytes, limits.rows],
  );
  await tx.execute(
    `UPDATE lake_loads SET (row_count, bytes) = (SELECT sum(row_count), sum(bytes) FROM lake_chunks WHERE tenant_id = $1 AND load_id = $2)
     WHERE tenant_id = $1 AND id = $2`,
    [tenantId, loadId],
  );
  await tx.execute('UPDATE lake_tables SET last_load_at = now() WHERE tenant_id = $1 AND id = $2', [tenantId, tableId]);
}

export type Load = {
  readonly tenantId: string;
  readonly id: string;
  readonly tableId: string;
  readonly attempts: number;
  /** In the order in which their rows are written, the same on every attempt. */
  readonly chunks: readonly { readonly id: string; readonly batchId: string; readonly objectKey: string }[];
};

/** Takes loads that nobody works on, for the given time. */
export async function leaseLoads(tx: Tx, limit: number, seconds: number): Promise<readonly Load[]> {
  const rows = await tx.query<LoadRow>(
    `UPDATE lake_loads SET attempts = attempts + 1, lease_until = now() + make_interval(secs => $2)
     WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM lake_loads WHERE state = 'PENDING' AND (lease_until IS NULL OR lease_until < now())
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING tenant_id, id, table_id, attempts`,
    [limit, seconds],
  );
  return withChunks(tx, rows);
}

/** Loads that somebody began and nobody finished, whether or not somebody is at it. */
export async function listTriedLoads(tx: Tx): Promise<readonly Load[]> {
  const rows = await tx.query<LoadRow>(
    "SELECT tenant_id, id, table_id, attempts FROM lake_loads WHERE state = 'PENDING' AND attempts > 0 ORDER BY created_at",
  );
  return withChunks(tx, rows);
}

type LoadRow = { tenant_id: string; id: string; table_id: string; attempts: number };

async function withChunks(tx: Tx, rows: readonly LoadRow[]): Promise<readonly Load[]> {
  const loads: Load[] = [];
  for (const row of rows) {
    const chunks = await tx.query<{ id: string; batch_id: string; object_key: string }>(
      'SELECT id, batch_id, object_key FROM lake_chunks WHERE tenant_id = $1 AND load_id = $2 ORDER BY created_at, id',
      [row.tenant_id, row.id],
    );
    loads.push({
      tenantId: row.tenant_id,
      id: row.id,
      tableId: row.table_id,
      attempts: row.attempts,
      chunks: chunks.map((chunk) => ({ id: chunk.id, batchId: chunk.batch_id, objectKey: chunk.object_key })),
    });
  }
  return loads;
}

/** Keeps a load for the time to come; one that is loaded already needs none. */
export async function extendLoadLease(tx: TenantTx, id: string, seconds: number): Promise<void> {
  await tx.execute(
    `UPDATE lake_loads SET lease_until = now() + make_interval(secs => $3)
     WHERE tenant_id = $1 AND id = $2 AND state = 'PENDING'`,
    [tx.tenantId, id, seconds],
  );
}

export async function finishLoad(tx: TenantTx, id: string): Promise<void> {
  await tx.execute(
    `UPDATE lake_loads SET state = 'LOADED', loaded_at = now(), lease_until = NULL, error = NULL WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id],
  );
}

/** Lets the load be tried again after a pause that grows with its attempts. */
export async function postponeLoad(tx: TenantTx, id: string, error: string): Promise<void> {
  await tx.execute(
    `UPDATE lake_loads SET error = $3, lease_until = now() + make_interval(secs => least(60, power(2, attempts)))
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id, error.slice(0, 1000)],
  );
}

/** Rows of a batch that are not in the lake yet. */
export async function countUnloaded(tx: TenantTx, batchId: string): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM lake_chunks c LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id
     WHERE c.tenant_id = $1 AND c.batch_id = $2 AND l.state IS DISTINCT FROM 'LOADED'`,
    [tx.tenantId, batchId],
  );
  return rows[0]?.count ?? 0;
}

/** Which of the batches have rows that are not in the lake yet. */
export async function listUnloaded(tx: TenantTx, batchIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ batch_id: string }>(
    `SELECT DISTINCT c.batch_id FROM lake_chunks c LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id
     WHERE c.tenant_id = $1 AND c.batch_id = ANY ($2::uuid[]) AND l.state IS DISTINCT FROM 'LOADED'`,
    [tx.tenantId, batchIds],
  );
  return new Set(rows.map((row) => row.batch_id));
}

/** Deletes the chunks of loaded batches and the loads that have none left. Returns the keys of their objects. */
export async function forgetChunks(tx: TenantTx, batchIds: readonly string[]): Promise<readonly string[]> {
  const chunks = await tx.query<{ object_key: string; load_id: string }>(
    'DELETE FROM lake_chunks WHERE tenant_id = $1 AND batch_id = ANY ($2::uuid[]) RETURNING object_key, load_id',
    [tx.tenantId, batchIds],
  );
  await tx.execute(
    `DELETE FROM lake_loads l WHERE l.tenant_id = $1 AND l.id = ANY ($2::uuid[]) AND NOT EXISTS (
       SELECT FROM lake_chunks c WHERE c.tenant_id = l.tenant_id AND c.load_id = l.id)`,
    [tx.tenantId, [...new Set(chunks.map((chunk) => chunk.load_id))]],
  );
  return chunks.map((chunk) => chunk.object_key);
}
