import type { TenantTx, Tx } from '#platform/postgres';
import type { SystemError, SystemErrorType } from './system-error.ts';

type SystemErrorRow = {
  id: string;
  type: SystemErrorType;
  subject_id: string;
  subject_name: string;
  message: string;
  occurrences: string;
  first_seen_at: Date;
  last_seen_at: Date;
  resolved_at: Date | null;
  trace_id: string;
};

const columns = `id, type, subject_id, subject_name, message, occurrences, first_seen_at, last_seen_at, resolved_at, trace_id`;

const toSystemError = (row: SystemErrorRow): SystemError => ({
  id: row.id,
  type: row.type,
  subjectId: row.subject_id,
  subjectName: row.subject_name,
  message: row.message,
  occurrences: Number(row.occurrences),
  firstSeenAt: row.first_seen_at,
  lastSeenAt: row.last_seen_at,
  resolvedAt: row.resolved_at,
  traceId: row.trace_id,
});

export type NewOccurrence = Pick<SystemError, 'id' | 'type' | 'subjectId' | 'subjectName' | 'message' | 'traceId'> & {
  readonly at: Date;
};

/** Opens an entry, or counts into the open one of the same type and subject. */
export async function upsertSystemError(
  tx: TenantTx,
  { id, type, subjectId, subjectName, message, traceId, at }: NewOccurrence,
): Promise<SystemError> {
  const rows = await tx.query<SystemErrorRow>(
    `INSERT INTO system_errors (tenant_id, id, type, subject_id, subject_name, message, first_seen_at, last_seen_at, trace_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
     ON CONFLICT (tenant_id, type, subject_id) WHERE resolved_at IS NULL DO UPDATE SET
       subject_name = excluded.subject_name, message = excluded.message, trace_id = excluded.trace_id,
       occurrences = system_errors.occurrences + 1,
       last_seen_at = greatest(system_errors.last_seen_at, excluded.last_seen_at)
     RETURNING ${columns}`,
    [tx.tenantId, id, type, subjectId, subjectName, message, at, traceId],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('The system error was not stored.');
  return toSystemError(row);
}

export async function findSystemError(tx: TenantTx, id: string): Promise<SystemError | undefined> {
  const rows = await tx.query<SystemErrorRow>(`SELECT ${columns} FROM system_errors WHERE tenant_id = $1 AND id = $2`, [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toSystemError(rows[0]);
}

type Position = { readonly lastSeenAt: Date; readonly id: string };

/** Newest first. */
export async function listSystemErrors(
  tx: TenantTx,
  options: { readonly isResolved: boolean | undefined; readonly after: Position | undefined; readonly limit: number },
): Promise<readonly SystemError[]> {
  const rows = await tx.query<SystemErrorRow>(
    `SELECT ${columns} FROM system_errors
     WHERE tenant_id = $1 AND ($2::boolean IS NULL OR (resolved_at IS NOT NULL) = $2)
       AND ($3::timestamptz IS NULL OR (last_seen_at, id) < ($3, $4::uuid))
     ORDER BY last_seen_at DESC, id DESC LIMIT $5`,
    [
      tx.tenantId,
      options.isResolved ?? null,
      options.after?.lastSeenAt ?? null,
      options.after?.id ?? null,
      options.limit,
    ],
  );
  return rows.map(toSystemError);
}

/** Marks what is open as resolved; returns how many were. */
export async function resolveById(tx: TenantTx, id: string, at: Date): Promise<number> {
  return tx.execute(
    'UPDATE system_errors SET resolved_at = $3 WHERE tenant_id = $1 AND id = $2 AND resolved_at IS NULL',
    [tx.tenantId, id, at],
  );
}

export async function resolveBySubject(
  tx: TenantTx,
  type: SystemErrorType,
  subjectId: string,
  at: Date,
): Promise<number> {
  return tx.execute(
    `UPDATE system_errors SET resolved_at = $4
     WHERE tenant_id = $1 AND type = $2 AND subject_id = $3 AND resolved_at IS NULL`,
    [tx.tenantId, type, subjectId, at],
  );
}

/** Errors of all tenants that are open and old enough to have an alert, newest first. */
export async function listOpenErrors(tx: Tx): Promise<readonly { readonly tenantId: string; readonly id: string }[]> {
  return tx.query<{ tenantId: string; id: string }>(
    `SELECT tenant_id AS "tenantId", id FROM system_errors
     WHERE resolved_at IS NULL AND first_seen_at < now() - interval '10 minutes' ORDER BY first_seen_at DESC LIMIT 5000`,
  );
}
