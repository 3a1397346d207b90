import type { Actor } from '#access';
import { tenantKey } from '#platform/objects';
import type { TenantTx, Tx } from '#platform/postgres';

/** A session is the first of two steps: an archive that was put at an address; uploads and rehearsals refer to it. */
export type UploadKind = 'UPLOAD' | 'VALIDATION' | 'DRY_RUN' | 'SESSION';

export type StoredUpload = {
  readonly id: string;
  readonly kind: UploadKind;
  readonly mode: 'CLASSIC_ZIP' | 'V2_ZIP';
  readonly status: 'NOT_PROCESSED' | 'COMPLETED' | 'FAILED';
  readonly actor: UploadActor;
  readonly error: string | null;
  readonly result: unknown;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** Who uploaded, as much of it as the record of the change needs later. */
type UploadActor = Pick<Actor, 'id' | 'kind'> & { readonly name: string; readonly traceId: string };

type Row = {
  id: string;
  kind: UploadKind;
  mode: StoredUpload['mode'];
  status: StoredUpload['status'];
  actor: UploadActor;
  error: string | null;
  result: unknown;
  created_at: Date;
  updated_at: Date;
};

export const uploadKey = (tenantId: string, id: string): string => tenantKey(tenantId, 'uploads', `${id}.zip`);

export async function insertUpload(
  tx: TenantTx,
  upload: Pick<StoredUpload, 'id' | 'kind' | 'mode' | 'actor'>,
): Promise<void> {
  await tx.execute(
    `INSERT INTO content_uploads (tenant_id, id, kind, mode, status, actor) VALUES ($1, $2, $3, $4, 'NOT_PROCESSED', $5)`,
    [tx.tenantId, upload.id, upload.kind, upload.mode, JSON.stringify(upload.actor)],
  );
}

export async function findUpload(
  tx: TenantTx,
  id: string,
  kinds?: readonly UploadKind[],
): Promise<StoredUpload | undefined> {
  const rows = await tx.query<Row>(
    'SELECT * FROM content_uploads WHERE tenant_id = $1 AND id = $2 AND ($3::text[] IS NULL OR kind = ANY ($3))',
    [tx.tenantId, id, kinds ?? null],
  );
  const [row] = rows;
  return row && { ...row, createdAt: row.created_at, updatedAt: row.updated_at };
}

export async function finishUpload(
  tx: TenantTx,
  id: string,
  outcome: { readonly error: string } | { readonly result: unknown },
): Promise<boolean> {
  const error = 'error' in outcome ? outcome.error : null;
  const result = 'result' in outcome ? JSON.stringify(outcome.result) : null;
  const changed = await tx.execute(
    `UPDATE content_uploads SET status = $3, error = $4, result = $5, updated_at = now()
     WHERE tenant_id = $1 AND id = $2 AND status = 'NOT_PROCESSED'`,
    [tx.tenantId, id, error === null ? 'COMPLETED' : 'FAILED', error, result],
  );
  return changed === 1;
}

/** One upload of a tenant at a time, until its transaction ends. False when another one is at work. */
export async function lockUploads(tx: TenantTx): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_xact_lock(hashtextextended('content-upload:' || $1::text, 0)) AS locked`,
    [tx.tenantId],
  );
  return row?.locked === true;
}

/** Whether an upload waits that is young enough to be still at work. */
export async function hasWaitingUpload(tx: TenantTx): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM content_uploads WHERE tenant_id = $1 AND kind = 'UPLOAD' AND status = 'NOT_PROCESSED'
       AND created_at > now() - interval '10 minutes' LIMIT 1`,
    [tx.tenantId],
  );
  return rows.length > 0;
}

export type UploadPlace = { readonly tenantId: string; readonly id: string };
type PlaceRow = { tenant_id: string; id: string };
const placeOf = (row: PlaceRow): UploadPlace => ({ tenantId: row.tenant_id, id: row.id });

/** Receipts that nobody asks for any more, oldest first. */
export async function listOldUploads(tx: Tx, limit: number): Promise<readonly UploadPlace[]> {
  const rows = await tx.query<PlaceRow>(
    `SELECT tenant_id, id FROM content_uploads WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT $1`,
    [limit],
  );
  return rows.map(placeOf);
}

export async function deleteUpload(tx: TenantTx, id: string): Promise<void> {
  await tx.execute('DELETE FROM content_uploads WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id]);
}

/** Uploads of all tenants that wait longer than an attempt may take; `isHopeless` after a day of attempts. */
export async function listStranded(tx: Tx): Promise<readonly (UploadPlace & { readonly isHopeless: boolean })[]> {
  const rows = await tx.query<PlaceRow & { hopeless: boolean }>(
    `SELECT tenant_id, id, created_at < now() - interval '1 day' AS hopeless FROM content_uploads
     WHERE status = 'NOT_PROCESSED' AND kind <> 'SESSION' AND created_at < now() - interval '10 minutes' ORDER BY created_at LIMIT 1000`,
  );
  return rows.map((row) => ({ ...placeOf(row), isHopeless: row.hopeless }));
}

/** Which of the uploads have a receipt that still needs its archive; that of a session is good for as long as it is young. */
export async function listReceipts(tx: TenantTx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM content_uploads WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) AND kind <> 'SESSION'",
    [tx.tenantId, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
