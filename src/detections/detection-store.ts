import type { ActorReference } from '#access';
import { tenantKey } from '#platform/objects';
import type { TenantTx, Tx } from '#platform/postgres';
import type { ContentItem, DetectionKind, DetectionSpec } from './content/content-item.ts';
import type { EvaluationContent } from './sandbox-content.ts';

export type StoredDetection = ContentItem & {
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The YAML as its author wrote it; empty for what was saved before it was kept. */
  readonly source: string;
  readonly updatedBy: string;
  /** Absent for what was saved before it was kept. */
  readonly createdBy: ActorReference | null;
  readonly lastModifiedBy: ActorReference | null;
};

export type DetectionRow = {
  id: string;
  kind: DetectionKind;
  is_enabled: boolean;
  body: string;
  specification: DetectionSpec;
  version: number;
  created_at: Date;
  updated_at: Date;
  source: string;
  updated_by: string;
  created_by: ActorReference | null;
  last_modified_by: ActorReference | null;
};

export const toDetection = (row: DetectionRow): StoredDetection => ({
  id: row.id,
  kind: row.kind,
  isEnabled: row.is_enabled,
  body: row.body,
  spec: row.specification,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  source: row.source,
  updatedBy: row.updated_by,
  createdBy: row.created_by,
  lastModifiedBy: row.last_modified_by,
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

/** What an alert says about the detection that raised it. */
export type DetectionReference = {
  readonly id: string;
  readonly kind: string;
  readonly description: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type ReferenceRow = { id: string; kind: string; description: string | null; created_at: Date; updated_at: Date };

export async function findDetectionReferences(
  tx: TenantTx,
  ids: readonly string[],
): Promise<readonly DetectionReference[]> {
  const rows = await tx.query<ReferenceRow>(
    `SELECT id, kind, specification ->> 'Description' AS description, created_at, updated_at FROM detections
     WHERE tenant_id = $1 AND id = ANY ($2::text[])`,
    [tx.tenantId, ids],
  );
  return rows.map(({ created_at: createdAt, updated_at: updatedAt, ...row }) => ({ ...row, createdAt, updatedAt }));
}

/** A transaction for a single tenant, with whom versions are signed with. */
type Author = { readonly tx: TenantTx; readonly changedBy: ActorReference };

/**
 * Creates or replaces items, each with a new row in its history. What equals the saved item in everything but the
 * text of its YAML is not touched. Returns which ids are new and which changed.
 */
export async function saveDetections(
  { tx, changedBy }: Author,
  items: readonly ContentItem[],
): Promise<{ readonly newIds: readonly string[]; readonly modifiedIds: readonly string[] }> {
  const rows = await tx.query<{ id: string; is_new: boolean }>(
    `WITH given AS (
       SELECT * FROM jsonb_to_recordset($2::jsonb)
         AS item (id text, kind text, is_enabled boolean, body text, specification jsonb, source text)
     ), changed AS (
       SELECT given.*, saved.id IS NULL AS is_new,
         1 + coalesce(saved.version, (SELECT max(v.version) FROM detection_versions v
           WHERE v.tenant_id = $1 AND v.detection_id = given.id), 0) AS version
       FROM given LEFT JOIN detections saved ON saved.tenant_id = $1 AND saved.id = given.id
       WHERE saved.id IS NULL OR (saved.kind, saved.is_enabled, saved.body, saved.specification)
         IS DISTINCT FROM (given.kind, given.is_enabled, given.body, given.specification)
     ), history AS (
       INSERT INTO detection_versions (tenant_id, detection_id, version, change, kind, is_enabled, body, specification, source, changed_by)
       SELECT $1, id, version, 'SAVED', kind, is_enabled, body, specification, source, $3 FROM changed
     ), saved AS (
       INSERT INTO detections (tenant_id, id, kind, is_enabled, body, specification, source, updated_by, version,
         created_by, last_modified_by)
       SELECT $1, id, kind, is_enabled, body, specification, source, $3, version, $4::jsonb, $4::jsonb FROM changed
       ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, is_enabled = excluded.is_enabled, body = excluded.body,
         specification = excluded.specification, source = excluded.source, updated_by = excluded.updated_by,
         version = excluded.version, last_modified_by = excluded.last_modified_by, updated_at = now()
     ) SELECT id, is_new FROM changed ORDER BY id`,
    [
      tx.tenantId,
      JSON.stringify(
        items.map(({ id, kind, isEnabled, body, spec, source = '' }) => ({
          id,
          kind,
          is_enabled: isEnabled,
          body,
          specification: spec,
          source,
        })),
      ),
      changedBy.id,
      JSON.stringify(changedBy),
    ],
  );
  if (rows.length > 0) await countUp(tx);
  const idsWhere = (isNew: boolean) => rows.filter((row) => row.is_new === isNew).map((row) => row.id);
  return { newIds: idsWhere(true), modifiedIds: idsWhere(false) };
}

/** Deletes items and says so in their history. Returns those that were there. */
export async function deleteDetectionRows(
  { tx, changedBy }: Author,
  ids: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `WITH gone AS (
       DELETE FROM detections WHERE tenant_id = $1 AND id = ANY ($2) RETURNING *
     ), history AS (
       INSERT INTO detection_versions (tenant_id, detection_id, version, change, kind, is_enabled, body, specification, source, changed_by)
       SELECT tenant_id, id, version + 1, 'DELETED', kind, is_enabled, body, specification, source, $3 FROM gone
     ) SELECT id FROM gone ORDER BY id`,
    [tx.tenantId, ids, changedBy.id],
  );
  if (rows.length > 0) await countUp(tx);
  return rows.map((row) => row.id);
}

/** Says that the tenant's content changed; waits for other changes that are at work. */
async function countUp(tx: TenantTx): Promise<void> {
  await tx.execute(
    `INSERT INTO content_heads AS h (tenant_id, head) VALUES ($1, 1)
     ON CONFLICT (tenant_id) DO UPDATE SET head = h.head + 1`,
    [tx.tenantId],
  );
}

/** How often the tenant's content changed. */
export async function readContentHead(tx: TenantTx): Promise<string> {
  const rows = await tx.query<{ head: string }>('SELECT head FROM content_heads WHERE tenant_id = $1', [tx.tenantId]);
  return rows[0]?.head ?? '0';
}

export type DetectionVersion = ContentItem & {
  readonly version: number;
  readonly change: 'SAVED' | 'DELETED';
  readonly changedBy: string;
  readonly changedAt: Date;
};

const versionsPerPageMax = 100;

/** Versions of one id, newest first, also after it was deleted. */
export async function listVersions(tx: TenantTx, id: string): Promise<readonly DetectionVersion[]> {
  const rows = await tx.query<
    DetectionRow & { change: DetectionVersion['change']; changed_by: string; changed_at: Date }
  >(
    `SELECT detection_id AS id, * FROM detection_versions WHERE tenant_id = $1 AND detection_id = $2
     ORDER BY version DESC LIMIT ${versionsPerPageMax}`,
    [tx.tenantId, id],
  );
  return rows.map((row) => ({
    ...toDetection(row),
    change: row.change,
    changedBy: row.changed_by,
    changedAt: row.changed_at,
  }));
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

/** Says that a revision is still asked for. False when it is not kept any more. */
export async function touchRevision(tx: TenantTx, revision: string): Promise<boolean> {
  const rows = await tx.query<{ is_old: boolean }>(
    `SELECT used_at < now() - interval '1 hour' AS is_old FROM detection_revisions WHERE tenant_id = $1 AND revision = $2`,
    [tx.tenantId, revision],
  );
  if (rows[0]?.is_old === true)
    await tx.execute('UPDATE detection_revisions SET used_at = now() WHERE tenant_id = $1 AND revision = $2', [
      tx.tenantId,
      revision,
    ]);
  return rows.length > 0;
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
