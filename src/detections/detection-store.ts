import { tenantKey } from '#platform/objects';
import type { TenantTx, Tx } from '#platform/postgres';
import type { ContentItem, DetectionKind, DetectionSpec } from './content/content-item.ts';
import type { EvaluationContent } from './sandbox-content.ts';

export type StoredDetection = ContentItem & {
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type DetectionRow = {
  id: string;
  kind: DetectionKind;
  is_enabled: boolean;
  body: string;
  specification: DetectionSpec;
  version: number;
  created_at: Date;
  updated_at: Date;
};

const toDetection = (row: DetectionRow): StoredDetection => ({
  id: row.id,
  kind: row.kind,
  isEnabled: row.is_enabled,
  body: row.body,
  spec: row.specification,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export async function listDetections(tx: TenantTx): Promise<readonly StoredDetection[]> {
  const rows = await tx.query<DetectionRow>('SELECT * FROM detections WHERE tenant_id = $1 ORDER BY id', [tx.tenantId]);
  return rows.map(toDetection);
}

export async function findDetection(tx: TenantTx, id: string): Promise<StoredDetection | undefined> {
  const rows = await tx.query<DetectionRow>('SELECT * FROM detections WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toDetection(rows[0]);
}

export async function saveDetection(tx: TenantTx, item: ContentItem): Promise<void> {
  await tx.execute(
    `INSERT INTO detections (tenant_id, id, kind, is_enabled, body, specification) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, is_enabled = excluded.is_enabled, body = excluded.body,
       specification = excluded.specification, version = detections.version + 1, updated_at = now()`,
    [tx.tenantId, item.id, item.kind, item.isEnabled, item.body, JSON.stringify(item.spec)],
  );
}

export async function deleteDetectionRow(tx: TenantTx, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM detections WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id])) === 1;
}

/** Keeps what a revision means for as long as batches may name it. */
export async function keepRevision(tx: TenantTx, content: EvaluationContent): Promise<void> {
  await tx.execute(
    `INSERT INTO detection_revisions (tenant_id, revision, content) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, revision) DO UPDATE SET used_at = now()
       WHERE detection_revisions.used_at < now() - interval '1 hour'`,
    [tx.tenantId, content.revision, JSON.stringify(content.items)],
  );
}

export async function findRevision(tx: TenantTx, revision: string): Promise<EvaluationContent | undefined> {
  const rows = await tx.query<{ content: readonly ContentItem[] }>(
    'SELECT content FROM detection_revisions WHERE tenant_id = $1 AND revision = $2',
    [tx.tenantId, revision],
  );
  return rows[0] && { revision, items: rows[0].content };
}

/** Where the results of a batch are stored before they have effects. */
export const resultsKey = (tenantId: string, batchId: string): string =>
  tenantKey(tenantId, 'results', `${batchId}.json`);

/** Marks the batch as evaluated; false when it already was. */
export async function insertEvaluation(tx: TenantTx, batchId: string, evaluatedAt: Date): Promise<boolean> {
  const inserted = await tx.execute(
    `INSERT INTO batch_evaluations (tenant_id, batch_id, alert_ids, evaluated_at) VALUES ($1, $2, '[]', $3) ON CONFLICT DO NOTHING`,
    [tx.tenantId, batchId, evaluatedAt],
  );
  return inserted === 1;
}

export async function saveAlertIds(tx: TenantTx, batchId: string, alertIds: readonly (string | null)[]): Promise<void> {
  await tx.execute('UPDATE batch_evaluations SET alert_ids = $3 WHERE tenant_id = $1 AND batch_id = $2', [
    tx.tenantId,
    batchId,
    JSON.stringify(alertIds),
  ]);
}

export async function findAlertIds(tx: TenantTx, batchId: string): Promise<readonly (string | null)[] | undefined> {
  const rows = await tx.query<{ alert_ids: readonly (string | null)[] }>(
    'SELECT alert_ids FROM batch_evaluations WHERE tenant_id = $1 AND batch_id = $2',
    [tx.tenantId, batchId],
  );
  return rows[0]?.alert_ids;
}

/** Deletes what is left of evaluated batches and returns the keys of their stored results. */
export async function forgetEvaluations(tx: TenantTx, batchIds: readonly string[]): Promise<readonly string[]> {
  await tx.execute('DELETE FROM batch_evaluations WHERE tenant_id = $1 AND batch_id = ANY ($2::uuid[])', [
    tx.tenantId,
    batchIds,
  ]);
  return batchIds.map((batchId) => resultsKey(tx.tenantId, batchId));
}

/** Deletes revisions that no batch names and that nobody asked for in the last day. Returns how many. */
export async function deleteUnusedRevisions(tx: Tx): Promise<number> {
  return tx.execute(
    `DELETE FROM detection_revisions r WHERE r.used_at < now() - interval '1 day' AND NOT EXISTS (
       SELECT FROM batches b WHERE b.tenant_id = r.tenant_id AND b.manifest ->> 'contentRevision' = r.revision)`,
  );
}
