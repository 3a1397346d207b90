import type { ReadTable } from '#lake';
import type { TenantTx, Tx } from '#platform/postgres';
import type { DialectName } from '../sql/dialect.ts';
import type { LakeQuery, QueryIssuer, QueryState, ResultColumn } from './lake-query.ts';

type QueryRow = {
  tenant_id: string;
  id: string;
  state: QueryState;
  name: string | null;
  sql: string;
  database_name: string;
  dialect: DialectName;
  is_scheduled: boolean;
  issuer_kind: QueryIssuer['kind'];
  issuer_id: string;
  issuer_name: string;
  statement: string;
  columns: readonly ResultColumn[];
  log_types: readonly string[];
  access_key: string;
  result_of: string | null;
  message: string;
  row_count: string;
  result_bytes: string;
  read_rows: string;
  read_bytes: string;
  attempts: number;
  is_cancel_requested: boolean;
  started_at: Date;
  run_at: Date | null;
  completed_at: Date | null;
};

const toQuery = (row: QueryRow): LakeQuery => ({
  id: row.id,
  state: row.state,
  name: row.name,
  sql: row.sql,
  databaseName: row.database_name,
  dialect: row.dialect,
  isScheduled: row.is_scheduled,
  issuer: { kind: row.issuer_kind, id: row.issuer_id, name: row.issuer_name },
  columns: row.columns,
  logTypes: row.log_types,
  accessKey: row.access_key,
  resultOf: row.result_of,
  message: row.message,
  rowCount: Number(row.row_count),
  resultBytes: Number(row.result_bytes),
  readRows: Number(row.read_rows),
  readBytes: Number(row.read_bytes),
  startedAt: row.started_at,
  runAt: row.run_at,
  completedAt: row.completed_at,
});

export type NewQuery = {
  readonly id: string;
  readonly name: string | null;
  readonly sql: string;
  readonly databaseName: string;
  readonly dialect: DialectName;
  readonly issuer: QueryIssuer;
  readonly statement: string;
  readonly reads: readonly ReadTable[];
  readonly columns: readonly ResultColumn[];
  readonly logTypes: readonly string[];
  readonly accessKey: string;
  readonly cacheKey: string;
  readonly at: Date;
  readonly traceId: string;
};

/** Stores a query that waits, and wakes those that run them. */
export async function insertQuery(tx: TenantTx, query: NewQuery): Promise<void> {
  await tx.execute(
    `INSERT INTO lake_queries (tenant_id, id, state, name, sql, database_name, issuer_kind, issuer_id, issuer_name,
       statement, columns, log_types, access_key, cache_key, started_at, trace_id, reads, dialect)
     VALUES ($1, $2, 'QUEUED', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    [
      tx.tenantId,
      query.id,
      query.name,
      query.sql,
      query.databaseName,
      query.issuer.kind,
      query.issuer.id,
      query.issuer.name,
      query.statement,
      JSON.stringify(query.columns),
      query.logTypes,
      query.accessKey,
      query.cacheKey,
      query.at,
      query.traceId,
      JSON.stringify(query.reads),
      query.dialect,
    ],
  );
  await tx.execute("SELECT pg_notify('lake_queries', '')");
}

/**
 * A result of the same question, asked a moment ago by somebody who may read the same, with nothing loaded since it was
 * asked. Makes the new query one that shows it; false when there is none.
 */
export async function reuseResult(tx: TenantTx, query: NewQuery, since: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE lake_queries q SET state = 'SUCCEEDED', result_of = coalesce(r.result_of, r.id), row_count = r.row_count,
       result_bytes = r.result_bytes, message = r.message, run_at = q.started_at, completed_at = q.started_at
     FROM (SELECT * FROM lake_queries WHERE tenant_id = $1 AND cache_key = $3 AND state = 'SUCCEEDED' AND started_at >= $4 AND id <> $2
       ORDER BY started_at DESC LIMIT 1) r
     WHERE q.tenant_id = $1 AND q.id = $2 AND q.state = 'QUEUED'
       AND NOT EXISTS (SELECT 1 FROM lake_loads WHERE tenant_id = $1 AND loaded_at >= r.started_at)`,
    [tx.tenantId, query.id, query.cacheKey, since],
  );
  return changed > 0;
}

export async function findQuery(tx: TenantTx, id: string): Promise<LakeQuery | undefined> {
  const rows = await tx.query<QueryRow>('SELECT * FROM lake_queries WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toQuery(rows[0]);
}

/** Queries of a tenant that are not over, and how many of them one issuer has. */
export async function countOpen(
  tx: TenantTx,
  issuerId: string,
): Promise<{ readonly all: number; readonly own: number }> {
  const rows = await tx.query<{ all: string; own: string }>(
    `SELECT count(*) AS all, count(*) FILTER (WHERE issuer_id = $2) AS own FROM lake_queries
     WHERE tenant_id = $1 AND state IN ('QUEUED', 'RUNNING')`,
    [tx.tenantId, issuerId],
  );
  return { all: Number(rows[0]?.all ?? 0), own: Number(rows[0]?.own ?? 0) };
}

/** Asks for the end of a query. One that waits is over at once; for one that runs, those that run it are told. */
export async function requestCancel(tx: TenantTx, id: string, at: Date): Promise<void> {
  await tx.execute(
    `UPDATE lake_queries SET is_cancel_requested = true,
       state = CASE state WHEN 'QUEUED' THEN 'CANCELLED' ELSE state END,
       completed_at = CASE state WHEN 'QUEUED' THEN $3 ELSE completed_at END,
       message = CASE state WHEN 'QUEUED' THEN 'Cancelled before it ran.' ELSE message END
     WHERE tenant_id = $1 AND id = $2 AND state IN ('QUEUED', 'RUNNING')`,
    [tx.tenantId, id, at],
  );
  await tx.execute("SELECT pg_notify('lake_queries', $1)", [id]);
}

export type QueryFilter = {
  readonly contains?: string | undefined;
  readonly isScheduled?: boolean | undefined;
  readonly issuedBy?: readonly string[] | undefined;
  readonly states?: readonly QueryState[] | undefined;
  readonly after?: Date | undefined;
  readonly before?: Date | undefined;
  readonly cursor?: { readonly startedAt: Date; readonly id: string } | undefined;
  readonly isAscending: boolean;
  readonly limit: number;
};

const likePattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/** Queries of the tenant by the time they were asked. */
export async function listQueries(tx: TenantTx, filter: QueryFilter): Promise<readonly LakeQuery[]> {
  const values: unknown[] = [tx.tenantId];
  const conditions = ['tenant_id = $1'];
  const add = (value: unknown, condition: (place: string) => string): void => {
    if (value !== undefined) conditions.push(condition(`$${values.push(value)}`));
  };
  add(
    filter.contains === undefined ? undefined : likePattern(filter.contains),
    (place) => `(sql ILIKE ${place} OR name ILIKE ${place})`,
  );
  add(filter.isScheduled, (place) => `is_scheduled = ${place}`);
  add(filter.issuedBy, (place) => `issuer_id = ANY (${place}::text[])`);
  add(filter.states, (place) => `state = ANY (${place}::text[])`);
  add(filter.after, (place) => `started_at >= ${place}`);
  add(filter.before, (place) => `started_at <= ${place}`);
  if (filter.cursor !== undefined) {
    const { startedAt, id } = filter.cursor;
    conditions.push(
      `(started_at, id) ${filter.isAscending ? '>' : '<'} ($${values.push(startedAt)}::timestamptz, $${values.push(id)}::uuid)`,
    );
  }
  const direction = filter.isAscending ? 'ASC' : 'DESC';
  const rows = await tx.query<QueryRow>(
    `SELECT * FROM lake_queries WHERE ${conditions.join(' AND ')} ORDER BY started_at ${direction}, id ${direction} LIMIT $${values.push(filter.limit)}`,
    values,
  );
  return rows.map(toQuery);
}

/** Deletes queries that are over and old. Returns the keys of what their results lie under. */
export async function deleteOldQueries(
  tx: Tx,
  before: Date,
  limit: number,
): Promise<readonly { readonly tenantId: string; readonly id: string }[]> {
  const rows = await tx.query<{ tenant_id: string; id: string }>(
    `DELETE FROM lake_queries WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM lake_queries WHERE started_at < $1 AND state NOT IN ('QUEUED', 'RUNNING') LIMIT $2)
     RETURNING tenant_id, id`,
    [before, limit],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, id: row.id }));
}

/** After a restore: results are not part of a backup, so whoever asks for one is told to ask again. Returns how many. */
export async function forgetResults(tx: Tx): Promise<number> {
  return tx.execute(
    `UPDATE lake_queries SET state = 'FAILED', row_count = 0, result_bytes = 0, result_of = NULL,
       message = 'Results are not part of a backup. Run the query again.'
     WHERE state = 'SUCCEEDED'`,
  );
}
