import type { ActorReference } from '#access';
import { badInput } from '#platform/errors';
import type { TenantTx } from '#platform/postgres';
import type { AlertComment, AlertId } from '../alert.ts';

type CommentRow = {
  id: string;
  alert_id: string;
  body: string;
  format: AlertComment['format'];
  created_at: Date;
  author_kind: ActorReference['kind'];
  author_id: string;
  author_name: string;
  updated_at: Date | null;
  updated_by: ActorReference | null;
};

const columns = 'id, alert_id, body, format, created_at, author_kind, author_id, author_name, updated_at, updated_by';

const toComment = (row: CommentRow): AlertComment => ({
  id: row.id,
  alertId: row.alert_id,
  body: row.body,
  format: row.format,
  createdAt: row.created_at,
  createdBy: { kind: row.author_kind, id: row.author_id, name: row.author_name },
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
});

export async function insertComment(tx: TenantTx, comment: AlertComment): Promise<void> {
  const { id, alertId, body, format, createdAt, createdBy } = comment;
  await tx.execute(
    `INSERT INTO alert_comments (tenant_id, id, alert_id, body, format, created_at, author_kind, author_id, author_name)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [tx.tenantId, id, alertId, body, format, createdAt, createdBy.kind, createdBy.id, createdBy.name],
  );
}

/** The newest of each alert, oldest first; at most `limit` of all together. */
export async function listComments(
  tx: TenantTx,
  alertIds: readonly AlertId[],
  limit: number,
): Promise<readonly AlertComment[]> {
  const rows = await tx.query<CommentRow>(
    `SELECT ${columns} FROM alert_comments
     WHERE tenant_id = $1 AND alert_id = ANY ($2::text[]) ORDER BY created_at DESC, id DESC LIMIT $3`,
    [tx.tenantId, alertIds, limit],
  );
  return rows.toReversed().map(toComment);
}

export async function findComment(tx: TenantTx, id: string): Promise<AlertComment | undefined> {
  const rows = await tx.query<CommentRow>(`SELECT ${columns} FROM alert_comments WHERE tenant_id = $1 AND id = $2`, [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toComment(rows[0]);
}

export const commentCursor = ({ createdAt, id }: Pick<AlertComment, 'createdAt' | 'id'>): string =>
  Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');

/** Comments of one alert after the cursor's place, oldest first. */
export async function pageOfComments(
  tx: TenantTx,
  alertId: AlertId,
  cursor: string | undefined,
  limit: number,
): Promise<readonly AlertComment[]> {
  const place =
    cursor === undefined
      ? undefined
      : /^(\S{20,30}) ([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (place === null || (place && Number.isNaN(Date.parse(place[1] ?? ''))))
    throw badInput('cursor', 'cursor: is not a cursor of this list');
  const rows = await tx.query<CommentRow>(
    `SELECT ${columns} FROM alert_comments WHERE tenant_id = $1 AND alert_id = $2
       AND ($3::timestamptz IS NULL OR (created_at, id) > ($3::timestamptz, $4::uuid))
     ORDER BY created_at, id LIMIT $5`,
    [tx.tenantId, alertId, place?.[1] ?? null, place?.[2] ?? null, limit],
  );
  return rows.map(toComment);
}

export async function updateCommentRow(
  tx: TenantTx,
  comment: Pick<AlertComment, 'id' | 'body' | 'format'>,
  change: { readonly by: ActorReference; readonly at: Date },
): Promise<void> {
  await tx.execute(
    `UPDATE alert_comments SET body = $3, format = $4, updated_at = $5, updated_by = $6
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, comment.id, comment.body, comment.format, change.at, JSON.stringify(change.by)],
  );
}
