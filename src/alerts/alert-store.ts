import type { TenantReader, TenantTx } from '#platform/postgres';
import type { Alert, AlertId, AlertQuality, AlertStatus, AlertType, AuthorReference, Severity } from './alert.ts';

export type AlertRow = {
  id: string;
  type: AlertType;
  status: AlertStatus;
  severity: Severity;
  title: string;
  description: string;
  reference: string;
  runbook: string;
  detection_id: string | null;
  detection_name: string | null;
  system_error_type: string | null;
  dedup: string;
  tags: string[];
  mitre: string[];
  log_types: string[];
  log_sources: string[];
  event_count: string;
  first_event_at: Date | null;
  last_event_at: Date | null;
  first_received_at: Date;
  last_received_at: Date;
  created_at: Date;
  assignee_id: string | null;
  updated_at: Date | null;
  updated_by_kind: AuthorReference['kind'] | null;
  updated_by_id: string | null;
  updated_by_name: string | null;
  quality: AlertQuality | null;
  context_tags: string[];
  trace_id: string;
};

export const alertColumns = `id, type, status, severity, title, description, reference, runbook, detection_id,
  detection_name, system_error_type, dedup, tags, mitre, log_types, log_sources, event_count, first_event_at, last_event_at,
  first_received_at, last_received_at, created_at, assignee_id, updated_at, updated_by_kind, updated_by_id,
  updated_by_name, quality, context_tags, trace_id`;

const originOf = (row: AlertRow): Alert['origin'] =>
  row.detection_id === null
    ? { kind: 'system-error', type: row.system_error_type ?? '' }
    : { kind: 'detection', id: row.detection_id, name: row.detection_name ?? row.detection_id };

export const toAlert = (row: AlertRow): Alert => ({
  id: row.id,
  type: row.type,
  status: row.status,
  severity: row.severity,
  title: row.title,
  description: row.description,
  reference: row.reference,
  runbook: row.runbook,
  origin: originOf(row),
  dedup: row.dedup,
  tags: row.tags,
  mitre: row.mitre,
  logTypes: row.log_types,
  logSources: row.log_sources,
  eventCount: Number(row.event_count),
  firstEventAt: row.first_event_at,
  lastEventAt: row.last_event_at,
  firstReceivedAt: row.first_received_at,
  lastReceivedAt: row.last_received_at,
  createdAt: row.created_at,
  assigneeId: row.assignee_id,
  updatedAt: row.updated_at,
  updatedBy:
    row.updated_by_kind === null
      ? null
      : { kind: row.updated_by_kind, id: row.updated_by_id ?? '', name: row.updated_by_name ?? '' },
  quality: row.quality,
  contextTags: row.context_tags,
  traceId: row.trace_id,
});

export async function findAlerts(tx: TenantReader, ids: readonly AlertId[]): Promise<readonly Alert[]> {
  const rows = await tx.query<AlertRow>(
    `SELECT ${alertColumns} FROM alerts WHERE tenant_id = $1 AND id = ANY ($2::text[])`,
    [tx.tenantId, ids],
  );
  return rows.map(toAlert);
}

export async function findAlert(tx: TenantReader, id: AlertId): Promise<Alert | undefined> {
  return (await findAlerts(tx, [id]))[0];
}

/** JSON texts of alert contexts, apart because they can be large; null when the detection gave none. */
export async function findContexts(
  tx: TenantTx,
  ids: readonly AlertId[],
): Promise<readonly { readonly alertId: AlertId; readonly text: string | null }[]> {
  return tx.query<{ alertId: string; text: string | null }>(
    'SELECT id AS "alertId", context AS text FROM alerts WHERE tenant_id = $1 AND id = ANY ($2::text[])',
    [tx.tenantId, ids],
  );
}

/** Those that exist, locked for a change, in the order of their ids. */
export async function lockAlerts(tx: TenantTx, ids: readonly AlertId[]): Promise<ReadonlyMap<AlertId, Alert>> {
  const rows = await tx.query<AlertRow>(
    `SELECT ${alertColumns} FROM alerts WHERE tenant_id = $1 AND id = ANY ($2::text[])
     ORDER BY id COLLATE "C" FOR NO KEY UPDATE`,
    [tx.tenantId, ids],
  );
  return new Map(rows.map((row) => [row.id, toAlert(row)]));
}

type Change = { readonly by: AuthorReference; readonly at: Date };

export async function updateStatus(
  tx: TenantTx,
  ids: readonly AlertId[],
  status: AlertStatus,
  { by, at }: Change,
): Promise<void> {
  await tx.execute(
    `UPDATE alerts SET status = $3, updated_at = $4, updated_by_kind = $5, updated_by_id = $6, updated_by_name = $7
     WHERE tenant_id = $1 AND id = ANY ($2::text[])`,
    [tx.tenantId, ids, status, at, by.kind, by.id, by.name],
  );
}

export async function updateAssignee(
  tx: TenantTx,
  ids: readonly AlertId[],
  assigneeId: string | null,
  { by, at }: Change,
): Promise<void> {
  await tx.execute(
    `UPDATE alerts SET assignee_id = $3, updated_at = $4, updated_by_kind = $5, updated_by_id = $6, updated_by_name = $7
     WHERE tenant_id = $1 AND id = ANY ($2::text[])`,
    [tx.tenantId, ids, assigneeId, at, by.kind, by.id, by.name],
  );
}

type Patch = {
  readonly status?: AlertStatus | undefined;
  readonly assigneeId?: string | null | undefined;
  readonly quality?: AlertQuality | null | undefined;
  readonly contextTags?: readonly string[] | undefined;
};

/** Sets what is given; null takes assignee or quality away. */
export async function patchAlertRows(
  tx: TenantTx,
  ids: readonly AlertId[],
  { status, assigneeId, quality, contextTags }: Patch,
  { by, at }: Change,
): Promise<void> {
  await tx.execute(
    `UPDATE alerts SET status = coalesce($3, status),
       assignee_id = CASE WHEN $4 THEN $5::uuid ELSE assignee_id END,
       quality = CASE WHEN $6 THEN $7 ELSE quality END,
       context_tags = coalesce($8::text[], context_tags),
       updated_at = $9, updated_by_kind = $10, updated_by_id = $11, updated_by_name = $12
     WHERE tenant_id = $1 AND id = ANY ($2::text[])`,
    [
      tx.tenantId,
      ids,
      status ?? null,
      assigneeId !== undefined,
      assigneeId ?? null,
      quality !== undefined,
      quality ?? null,
      contextTags ?? null,
      at,
      by.kind,
      by.id,
      by.name,
    ],
  );
}
