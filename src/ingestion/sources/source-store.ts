import type { ActorReference } from '#access';
import type { TenantTx, Tx } from '#platform/postgres';
import type { HttpAuth, HttpSource, LogStreamOptions, LogStreamType } from './http-source.ts';

type SourceRow = {
  tenant_id: string;
  id: string;
  label: string;
  log_types: string[];
  stream_type: LogStreamType;
  stream_options: LogStreamOptions;
  auth: HttpAuth;
  secret: Uint8Array | null;
  created_at: Date;
  updated_at: Date;
  last_received_at: Date | null;
  created_by: ActorReference | null;
  is_healthy: boolean;
};

const columns = `tenant_id, id, label, log_types, stream_type, stream_options, auth, secret, created_at, updated_at,
  last_received_at, created_by, NOT EXISTS (
    SELECT FROM system_errors e WHERE e.tenant_id = log_sources.tenant_id AND e.subject_id = log_sources.id::text
      AND e.resolved_at IS NULL) AS is_healthy`;

export type StoredSource = HttpSource & { readonly secret: Uint8Array | null };

const toSource = (row: SourceRow): StoredSource => ({
  tenantId: row.tenant_id,
  id: row.id,
  label: row.label,
  logTypes: row.log_types,
  streamType: row.stream_type,
  streamOptions: row.stream_options,
  auth: row.auth,
  secret: row.secret,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  lastReceivedAt: row.last_received_at,
  createdBy: row.created_by,
  isHealthy: row.is_healthy,
});

export async function findSource(tx: TenantTx, id: string): Promise<StoredSource | undefined> {
  const rows = await tx.query<SourceRow>(`SELECT ${columns} FROM log_sources WHERE tenant_id = $1 AND id = $2`, [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toSource(rows[0]);
}

/** Finds the tenant of a source: a sender knows the source's id only. */
export async function findSourceAnywhere(tx: Tx, id: string): Promise<StoredSource | undefined> {
  const rows = await tx.query<SourceRow>(`SELECT ${columns} FROM log_sources WHERE id = $1`, [id]);
  return rows[0] && toSource(rows[0]);
}

export async function listSources(tx: TenantTx): Promise<readonly StoredSource[]> {
  const rows = await tx.query<SourceRow>(`SELECT ${columns} FROM log_sources WHERE tenant_id = $1 ORDER BY label`, [
    tx.tenantId,
  ]);
  return rows.map(toSource);
}

type Settings = Pick<StoredSource, 'label' | 'logTypes' | 'streamType' | 'streamOptions' | 'auth' | 'secret'>;

const values = (tx: TenantTx, id: string, source: Settings) => [
  tx.tenantId,
  id,
  source.label,
  source.logTypes,
  source.streamType,
  JSON.stringify(source.streamOptions),
  JSON.stringify(source.auth),
  source.secret,
];

export async function insertSource(
  tx: TenantTx,
  id: string,
  source: Settings,
  createdBy: ActorReference,
): Promise<void> {
  await tx.execute(
    `INSERT INTO log_sources (tenant_id, id, kind, label, log_types, stream_type, stream_options, auth, secret, created_by)
     VALUES ($1, $2, 'HTTP', $3, $4, $5, $6, $7, $8, $9)`,
    [...values(tx, id, source), JSON.stringify(createdBy)],
  );
}

export async function updateSource(tx: TenantTx, id: string, source: Settings): Promise<void> {
  await tx.execute(
    `UPDATE log_sources SET label = $3, log_types = $4, stream_type = $5, stream_options = $6, auth = $7, secret = $8, updated_at = now()
     WHERE tenant_id = $1 AND id = $2`,
    values(tx, id, source),
  );
}

export async function deleteSourceRow(tx: TenantTx, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM log_sources WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id])) === 1;
}
