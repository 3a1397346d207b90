import type { ReadTable } from '#lake';
import type { TenantTx, Tx } from '#platform/postgres';
import type { ResultColumn } from './lake-query.ts';

/** What runs queries needs of the table: taking one, keeping it, ending it. */
export type TakenQuery = {
  readonly tenantId: string;
  readonly id: string;
  readonly statement: string;
  readonly reads: readonly ReadTable[];
  readonly columns: readonly ResultColumn[];
  readonly attempts: number;
};

export type RunLimits = {
  /** Queries that run at once for one tenant, and for one of its users or tokens. */
  readonly perTenant: number;
  readonly perIssuer: number;
  readonly leaseSeconds: number;
  /** How often a query is begun at most when its runners die; more than two, since two deaths may have nothing to do with it. */
  readonly attemptsMax: number;
};

/**
 * Takes the next query: of the tenant with the fewest running ones, oldest first, within the limits. One whose runner
 * died counts as waiting again.
 */
export async function takeQuery(tx: Tx, limits: RunLimits): Promise<TakenQuery | undefined> {
  const rows = await tx.query<{
    tenant_id: string;
    id: string;
    statement: string;
    reads: readonly ReadTable[];
    columns: readonly ResultColumn[];
    attempts: number;
  }>(
    `WITH running AS (
       SELECT tenant_id, issuer_id, count(*) AS count FROM lake_queries
       WHERE state = 'RUNNING' AND lease_until >= now() GROUP BY tenant_id, issuer_id),
     per_tenant AS (SELECT tenant_id, sum(count) AS count FROM running GROUP BY tenant_id),
     next AS (
       SELECT q.tenant_id, q.id FROM lake_queries q
       LEFT JOIN per_tenant t USING (tenant_id)
       LEFT JOIN running i USING (tenant_id, issuer_id)
       WHERE (q.state = 'QUEUED' OR (q.state = 'RUNNING' AND q.lease_until < now()))
         AND coalesce(t.count, 0) < $1 AND coalesce(i.count, 0) < $2
       ORDER BY coalesce(t.count, 0), q.started_at LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
     UPDATE lake_queries q SET state = 'RUNNING', attempts = attempts + 1, run_at = now(),
       lease_until = now() + make_interval(secs => $3)
     FROM next WHERE q.tenant_id = next.tenant_id AND q.id = next.id
     RETURNING q.tenant_id, q.id, q.statement, q.reads, q.columns, q.attempts`,
    [limits.perTenant, limits.perIssuer, limits.leaseSeconds],
  );
  const row = rows[0];
  return (
    row && {
      tenantId: row.tenant_id,
      id: row.id,
      statement: row.statement,
      reads: row.reads,
      columns: row.columns,
      attempts: row.attempts,
    }
  );
}

export type Progress = {
  readonly readRows: number;
  readonly readBytes: number;
  readonly rowCount: number;
  readonly resultBytes: number;
};

/** Keeps the query and notes how far it is. True when somebody asked for its end. */
export async function keepQuery(tx: TenantTx, id: string, progress: Progress, leaseSeconds: number): Promise<boolean> {
  const rows = await tx.query<{ is_cancel_requested: boolean }>(
    `UPDATE lake_queries SET lease_until = now() + make_interval(secs => $3), read_rows = greatest(read_rows, $4),
       read_bytes = greatest(read_bytes, $5), row_count = $6, result_bytes = $7
     WHERE tenant_id = $1 AND id = $2 AND state = 'RUNNING' RETURNING is_cancel_requested`,
    [tx.tenantId, id, leaseSeconds, progress.readRows, progress.readBytes, progress.rowCount, progress.resultBytes],
  );
  return rows[0]?.is_cancel_requested ?? true;
}

/** Gives a query back, for another process to run: this one is told to stop. */
export async function returnQuery(tx: TenantTx, id: string): Promise<void> {
  await tx.execute(
    `UPDATE lake_queries SET state = 'QUEUED', attempts = attempts - 1, lease_until = NULL
     WHERE tenant_id = $1 AND id = $2 AND state = 'RUNNING' AND NOT is_cancel_requested`,
    [tx.tenantId, id],
  );
}

export type QueryEnd = {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly message: string;
  readonly at: Date;
};

export async function endQuery(tx: TenantTx, id: string, end: QueryEnd, progress: Progress): Promise<void> {
  await tx.execute(
    `UPDATE lake_queries SET state = $3, message = $4, completed_at = $5, lease_until = NULL,
       read_rows = greatest(read_rows, $6), read_bytes = greatest(read_bytes, $7), row_count = $8, result_bytes = $9
     WHERE tenant_id = $1 AND id = $2 AND state = 'RUNNING'`,
    [
      tx.tenantId,
      id,
      end.state,
      end.message,
      end.at,
      progress.readRows,
      progress.readBytes,
      progress.rowCount,
      progress.resultBytes,
    ],
  );
}
