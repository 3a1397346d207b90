import type { TenantTx } from '#platform/postgres';
import type { Alert, AlertSeverity, AlertStatus, AlertType } from './alert.ts';

type AlertRow = {
  id: string;
  type: AlertType;
  status: AlertStatus;
  title: string;
  severity: AlertSeverity;
  description: string;
  reference: string;
  runbook: string;
  detection_id: string;
  detection_name: string;
  dedup: string;
  context: unknown;
  log_types: string[];
  tags: string[];
  event_count: string;
  first_event_at: Date;
  last_event_at: Date;
  created_at: Date;
  updated_at: Date;
  received_at: Date;
  assignee_id: string | null;
  trace_id: string;
};

const toAlert = (row: AlertRow): Alert => ({
  id: row.id,
  type: row.type,
  status: row.status,
  title: row.title,
  severity: row.severity,
  description: row.description,
  reference: row.reference,
  runbook: row.runbook,
  detectionId: row.detection_id,
  detectionName: row.detection_name,
  dedup: row.dedup,
  context: row.context,
  logTypes: row.log_types,
  tags: row.tags,
  eventCount: Number(row.event_count),
  firstEventAt: row.first_event_at,
  lastEventAt: row.last_event_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  receivedAt: row.received_at,
  assigneeId: row.assignee_id,
  traceId: row.trace_id,
});

export async function insertAlert(tx: TenantTx, alert: Alert, context: string | undefined): Promise<void> {
  await tx.execute(
    `INSERT INTO alerts (tenant_id, id, type, title, severity, description, reference, runbook, detection_id, detection_name, dedup, context,
       log_types, tags, event_count, first_event_at, last_event_at, created_at, updated_at, received_at, trace_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20)`,
    [
      tx.tenantId,
      alert.id,
      alert.type,
      alert.title,
      alert.severity,
      alert.description,
      alert.reference,
      alert.runbook,
      alert.detectionId,
      alert.detectionName,
      alert.dedup,
      context ?? null,
      alert.logTypes,
      alert.tags,
      alert.eventCount,
      alert.firstEventAt,
      alert.lastEventAt,
      alert.createdAt,
      alert.receivedAt,
      alert.traceId,
    ],
  );
}

type Count = {
  readonly id: string;
  readonly eventCount: number;
  readonly firstEventAt: Date;
  readonly lastEventAt: Date;
  readonly updatedAt: Date;
};

/** Sets the counts of alerts that exist; they come from the locked window, so the last writer is right. */
export async function updateCounts(tx: TenantTx, counts: readonly Count[]): Promise<void> {
  await tx.execute(
    `UPDATE alerts a SET event_count = c.event_count, first_event_at = c.first_event_at, last_event_at = c.last_event_at, updated_at = c.updated_at
     FROM unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[]) AS c (id, event_count, first_event_at, last_event_at, updated_at)
     WHERE a.tenant_id = $1 AND a.id = c.id`,
    [
      tx.tenantId,
      counts.map((count) => count.id),
      counts.map((count) => count.eventCount),
      counts.map((count) => count.firstEventAt),
      counts.map((count) => count.lastEventAt),
      counts.map((count) => count.updatedAt),
    ],
  );
}

export async function findAlert(tx: TenantTx, id: string): Promise<Alert | undefined> {
  const rows = await tx.query<AlertRow>('SELECT * FROM alerts WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id]);
  return rows[0] && toAlert(rows[0]);
}

export type AlertFilter = {
  readonly type?: readonly AlertType[];
  readonly severities?: readonly string[];
  readonly statuses?: readonly string[];
  readonly logTypes?: readonly string[];
  readonly detectionId?: string;
  readonly nameContains?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  readonly countMin?: number;
  readonly countMax?: number;
  /** Log types the reader may see: an alert is visible when all of its log types are. */
  readonly visibleLogTypes?: readonly string[];
  readonly hiddenLogTypes?: readonly string[];
};

export type AlertPosition = { readonly createdAt: Date; readonly id: string };

/** A page by creation time. Each condition binds its value; the position is the last alert of the page before. */
export async function listAlerts(
  tx: TenantTx,
  filter: AlertFilter,
  page: { readonly after?: AlertPosition; readonly isAscending: boolean; readonly limit: number },
): Promise<readonly Alert[]> {
  const values: unknown[] = [tx.tenantId];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const where = ['tenant_id = $1'];
  const add = (value: unknown, condition: (place: string) => string): void => {
    if (value !== undefined) where.push(condition(bind(value)));
  };
  add(filter.type, (place) => `type = ANY(${place}::text[])`);
  add(filter.severities, (place) => `severity = ANY(${place}::text[])`);
  add(filter.statuses, (place) => `status = ANY(${place}::text[])`);
  add(filter.logTypes, (place) => `log_types && ${place}::text[]`);
  add(filter.detectionId, (place) => `detection_id = ${place}`);
  add(filter.nameContains, (place) => `strpos(lower(title), lower(${place})) > 0`);
  add(filter.createdAfter, (place) => `created_at >= ${place}`);
  add(filter.createdBefore, (place) => `created_at <= ${place}`);
  add(filter.countMin, (place) => `event_count >= ${place}`);
  add(filter.countMax, (place) => `event_count <= ${place}`);
  add(filter.visibleLogTypes, (place) => `log_types <@ ${place}::text[]`);
  add(filter.hiddenLogTypes, (place) => `NOT log_types && ${place}::text[]`);
  if (page.after)
    where.push(
      `(created_at, id) ${page.isAscending ? '>' : '<'} (${bind(page.after.createdAt)}, ${bind(page.after.id)})`,
    );
  const direction = page.isAscending ? 'ASC' : 'DESC';
  const sql = `SELECT * FROM alerts WHERE ${where.join(' AND ')} ORDER BY created_at ${direction}, id ${direction} LIMIT ${bind(page.limit)}`;
  return (await tx.query<AlertRow>(sql, values)).map(toAlert);
}

/** Returns the ids that exist; all of them have the status afterwards. */
export async function updateStatus(
  tx: TenantTx,
  ids: readonly string[],
  status: AlertStatus,
  now: Date,
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    'UPDATE alerts SET status = $3, updated_at = $4 WHERE tenant_id = $1 AND id = ANY($2::text[]) RETURNING id',
    [tx.tenantId, ids, status, now],
  );
  return rows.map((row) => row.id);
}

export async function findAlerts(tx: TenantTx, ids: readonly string[]): Promise<readonly Alert[]> {
  const rows = await tx.query<AlertRow>(
    'SELECT * FROM alerts WHERE tenant_id = $1 AND id = ANY($2::text[]) ORDER BY created_at DESC, id',
    [tx.tenantId, ids],
  );
  return rows.map(toAlert);
}

export type AlertComment = {
  readonly id: string;
  readonly alertId: string;
  readonly body: string;
  readonly authorKind: string;
  readonly authorId: string;
  readonly authorName: string;
  readonly createdAt: Date;
};

export async function insertComment(tx: TenantTx, comment: AlertComment): Promise<void> {
  await tx.execute(
    `INSERT INTO alert_comments (tenant_id, id, alert_id, body, author_kind, author_id, author_name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      tx.tenantId,
      comment.id,
      comment.alertId,
      comment.body,
      comment.authorKind,
      comment.authorId,
      comment.authorName,
      comment.createdAt,
    ],
  );
}

type CommentRow = {
  id: string;
  alert_id: string;
  body: string;
  author_kind: string;
  author_id: string;
  author_name: string;
  created_at: Date;
};

export async function listComments(tx: TenantTx, alertIds: readonly string[]): Promise<readonly AlertComment[]> {
  const rows = await tx.query<CommentRow>(
    'SELECT * FROM alert_comments WHERE tenant_id = $1 AND alert_id = ANY($2::text[]) ORDER BY created_at, id LIMIT 5000',
    [tx.tenantId, alertIds],
  );
  return rows.map((row) => ({
    id: row.id,
    alertId: row.alert_id,
    body: row.body,
    authorKind: row.author_kind,
    authorId: row.author_id,
    authorName: row.author_name,
    createdAt: row.created_at,
  }));
}
