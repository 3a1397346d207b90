import { type ActorReference, isPermission } from '#access';
import type { Reader, TenantTx } from '#platform/postgres';
import type { ApiToken } from './token.ts';

type TokenRow = {
  tenant_id: string;
  id: string;
  name: string;
  permissions: string[];
  allowed_cidr_blocks: string[];
  expires_at: Date | null;
  created_at: Date;
  rotated_at: Date | null;
  last_used_at: Date | null;
  created_by: ActorReference | null;
  updated_at: Date | null;
  updated_by: ActorReference | null;
  rotated_by: ActorReference | null;
};

const columns = `tenant_id, id, name, permissions, allowed_cidr_blocks, expires_at, created_at, rotated_at, last_used_at,
  created_by, updated_at, updated_by, rotated_by`;

const toToken = (row: TokenRow): ApiToken => ({
  id: row.id,
  name: row.name,
  permissions: row.permissions.filter(isPermission),
  allowedCidrBlocks: row.allowed_cidr_blocks,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  rotatedAt: row.rotated_at,
  lastUsedAt: row.last_used_at,
  createdBy: row.created_by,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
  rotatedBy: row.rotated_by,
});

/** The owner of a token value, across all tenants: this is how a request finds its tenant. */
export async function findTokenByHash(
  tx: Reader,
  hash: Buffer,
): Promise<{ readonly tenantId: string; readonly token: ApiToken } | undefined> {
  const rows = await tx.query<TokenRow>(`SELECT ${columns} FROM api_tokens WHERE value_hash = $1`, [hash]);
  const row = rows[0];
  return row && { tenantId: row.tenant_id, token: toToken(row) };
}

/** Once a minute is enough to see whether a token is in use. */
export async function touchToken(tx: TenantTx, id: string): Promise<void> {
  await tx.execute(
    `UPDATE api_tokens SET last_used_at = now() WHERE tenant_id = $1 AND id = $2
       AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
    [tx.tenantId, id],
  );
}

export async function listTokens(tx: TenantTx): Promise<readonly ApiToken[]> {
  const rows = await tx.query<TokenRow>(`SELECT ${columns} FROM api_tokens WHERE tenant_id = $1 ORDER BY name`, [
    tx.tenantId,
  ]);
  return rows.map(toToken);
}

export async function findToken(tx: TenantTx, id: string): Promise<ApiToken | undefined> {
  const rows = await tx.query<TokenRow>(`SELECT ${columns} FROM api_tokens WHERE tenant_id = $1 AND id = $2`, [
    tx.tenantId,
    id,
  ]);
  return rows[0] && toToken(rows[0]);
}

/** Those of the tokens that exist. */
export async function findTokens(tx: TenantTx, ids: readonly string[]): Promise<readonly ApiToken[]> {
  const rows = await tx.query<TokenRow>(
    `SELECT ${columns} FROM api_tokens WHERE tenant_id = $1 AND id::text = ANY ($2::text[])`,
    [tx.tenantId, ids],
  );
  return rows.map(toToken);
}

type NewToken = Pick<ApiToken, 'id' | 'name' | 'permissions' | 'allowedCidrBlocks' | 'expiresAt' | 'createdBy'>;

export async function insertToken(tx: TenantTx, token: NewToken, valueHash: Buffer): Promise<void> {
  await tx.execute(
    `INSERT INTO api_tokens (tenant_id, id, name, value_hash, permissions, allowed_cidr_blocks, expires_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      tx.tenantId,
      token.id,
      token.name,
      valueHash,
      token.permissions,
      token.allowedCidrBlocks,
      token.expiresAt,
      JSON.stringify(token.createdBy),
    ],
  );
}

/** Returns whether there is such a token. */
export async function replaceTokenValue(
  tx: TenantTx,
  id: string,
  valueHash: Buffer,
  by: ActorReference,
): Promise<boolean> {
  const changed = await tx.execute(
    'UPDATE api_tokens SET value_hash = $3, rotated_at = now(), rotated_by = $4 WHERE tenant_id = $1 AND id = $2',
    [tx.tenantId, id, valueHash, JSON.stringify(by)],
  );
  return changed === 1;
}

export async function updateTokenRow(
  tx: TenantTx,
  token: Pick<ApiToken, 'id' | 'name' | 'permissions' | 'allowedCidrBlocks'>,
  by: ActorReference,
): Promise<void> {
  await tx.execute(
    `UPDATE api_tokens SET name = $3, permissions = $4, allowed_cidr_blocks = $5, updated_at = now(), updated_by = $6
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, token.id, token.name, token.permissions, token.allowedCidrBlocks, JSON.stringify(by)],
  );
}

export async function deleteToken(tx: TenantTx, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM api_tokens WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id])) === 1;
}
