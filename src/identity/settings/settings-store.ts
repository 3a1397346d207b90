import type { TenantTx, Tx } from '#platform/postgres';

/** Web origins whose pages may read the tenant's API. */
export async function findAllowedOrigins(tx: TenantTx): Promise<readonly string[]> {
  const rows = await tx.query<{ allowed_origins: string[] }>(
    'SELECT allowed_origins FROM tenant_settings WHERE tenant_id = $1',
    [tx.tenantId],
  );
  return rows[0]?.allowed_origins ?? [];
}

export async function saveAllowedOrigins(tx: TenantTx, origins: readonly string[]): Promise<void> {
  await tx.execute(
    `INSERT INTO tenant_settings (tenant_id, allowed_origins) VALUES ($1, $2)
     ON CONFLICT (tenant_id) DO UPDATE SET allowed_origins = excluded.allowed_origins, updated_at = now()`,
    [tx.tenantId, origins],
  );
}

/** Those of every tenant: a browser asks before it sends a credential. */
export async function listAllowedOrigins(tx: Tx): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await tx.query<{ tenant_id: string; allowed_origins: string[] }>(
    `SELECT tenant_id, allowed_origins FROM tenant_settings WHERE allowed_origins <> '{}'`,
    [],
  );
  return new Map(rows.map((row) => [row.tenant_id, row.allowed_origins]));
}
