import type { TenantTx } from '#platform/postgres';
import type { AlertType, Severity } from '../alert.ts';
import type { Destination } from './destination.ts';

type DestinationRow = {
  id: string;
  kind: 'WEBHOOK';
  name: string;
  severities: Severity[];
  alert_types: AlertType[];
  log_types: string[];
  is_enabled: boolean;
  endpoint: string;
  header_names: string[];
  has_secret: boolean;
  configuration: Uint8Array | null;
  created_at: Date;
  created_by_name: string;
  updated_at: Date;
};

const columns = `id, kind, name, severities, alert_types, log_types, is_enabled, endpoint, header_names, has_secret,
  configuration, created_at, created_by_name, updated_at`;

export type StoredDestination = { readonly destination: Destination; readonly sealed: Uint8Array };

const toDestination = (row: DestinationRow): Destination => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  severities: row.severities,
  alertTypes: row.alert_types,
  logTypes: row.log_types,
  isEnabled: row.is_enabled,
  endpoint: row.endpoint,
  headerNames: row.header_names,
  hasSecret: row.has_secret,
  createdAt: row.created_at,
  createdByName: row.created_by_name,
  updatedAt: row.updated_at,
});

/** All that are not deleted, by name. */
export async function listDestinations(tx: TenantTx): Promise<readonly Destination[]> {
  const rows = await tx.query<DestinationRow>(
    `SELECT ${columns} FROM destinations WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY name, id`,
    [tx.tenantId],
  );
  return rows.map(toDestination);
}

/** Undefined when there is none or it is deleted. */
export async function findDestination(tx: TenantTx, id: string): Promise<StoredDestination | undefined> {
  const rows = await tx.query<DestinationRow>(
    `SELECT ${columns} FROM destinations WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tx.tenantId, id],
  );
  const row = rows[0];
  return row?.configuration ? { destination: toDestination(row), sealed: row.configuration } : undefined;
}

export type DestinationSettings = Omit<Destination, 'id' | 'kind' | 'createdAt' | 'createdByName' | 'updatedAt'>;

export async function insertDestination(
  tx: TenantTx,
  id: string,
  settings: DestinationSettings,
  made: { readonly sealed: Uint8Array; readonly byName: string; readonly at: Date },
): Promise<void> {
  await tx.execute(
    `INSERT INTO destinations (tenant_id, id, kind, name, severities, alert_types, log_types, is_enabled, endpoint,
       header_names, has_secret, configuration, created_at, created_by_name, updated_at)
     VALUES ($1, $2, 'WEBHOOK', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12)`,
    [tx.tenantId, id, ...settingValues(settings), made.sealed, made.at, made.byName],
  );
}

const settingValues = (settings: DestinationSettings) => [
  settings.name,
  settings.severities,
  settings.alertTypes,
  settings.logTypes,
  settings.isEnabled,
  settings.endpoint,
  settings.headerNames,
  settings.hasSecret,
];

export async function updateDestination(
  tx: TenantTx,
  id: string,
  settings: DestinationSettings,
  made: { readonly sealed: Uint8Array; readonly at: Date },
): Promise<void> {
  await tx.execute(
    `UPDATE destinations SET name = $3, severities = $4, alert_types = $5, log_types = $6, is_enabled = $7, endpoint = $8,
       header_names = $9, has_secret = $10, configuration = $11, updated_at = $12
     WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tx.tenantId, id, ...settingValues(settings), made.sealed, made.at],
  );
}

/** Forgets the secrets and gives up what is still to be sent; the name stays for the history. False when there is none. */
export async function markDestinationDeleted(tx: TenantTx, id: string, at: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE destinations SET deleted_at = $3, updated_at = $3, configuration = NULL, header_names = '{}'
     WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tx.tenantId, id, at],
  );
  await tx.execute(
    `UPDATE alert_deliveries SET state = 'FAILED', message = 'The destination was deleted.'
     WHERE tenant_id = $1 AND destination_id = $2 AND state = 'PENDING'`,
    [tx.tenantId, id],
  );
  return changed === 1;
}
