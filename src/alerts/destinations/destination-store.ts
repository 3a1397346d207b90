import type { TenantTx } from '#platform/postgres';
import type { Route } from '../routing.ts';

/** A place that alerts are sent to. The configuration (URL, secrets) is encrypted and never given back. */
export type Destination = Route & { readonly kind: 'WEBHOOK'; readonly createdAt: Date; readonly updatedAt: Date };

type DestinationRow = {
  id: string;
  kind: 'WEBHOOK';
  name: string;
  severities: string[];
  log_types: string[];
  is_enabled: boolean;
  configuration: Uint8Array;
  created_at: Date;
  updated_at: Date;
};

const toDestination = (row: DestinationRow): Destination => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  severities: row.severities,
  logTypes: row.log_types,
  isEnabled: row.is_enabled,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export async function listRoutes(tx: TenantTx): Promise<readonly Destination[]> {
  const rows = await tx.query<DestinationRow>('SELECT * FROM destinations WHERE tenant_id = $1 ORDER BY name', [
    tx.tenantId,
  ]);
  return rows.map(toDestination);
}

export async function findDestination(
  tx: TenantTx,
  id: string,
): Promise<{ readonly destination: Destination; readonly configuration: Uint8Array } | undefined> {
  const rows = await tx.query<DestinationRow>('SELECT * FROM destinations WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    id,
  ]);
  const row = rows[0];
  return row && { destination: toDestination(row), configuration: row.configuration };
}

export async function insertDestination(
  tx: TenantTx,
  destination: Pick<Destination, 'id' | 'kind' | 'name' | 'severities' | 'logTypes'>,
  configuration: Uint8Array,
): Promise<void> {
  await tx.execute(
    'INSERT INTO destinations (tenant_id, id, kind, name, severities, log_types, configuration) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [
      tx.tenantId,
      destination.id,
      destination.kind,
      destination.name,
      destination.severities,
      destination.logTypes,
      configuration,
    ],
  );
}

export async function deleteDestinationRow(tx: TenantTx, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM destinations WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id])) === 1;
}
