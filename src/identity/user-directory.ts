import type { TenantTx } from '#platform/postgres';

/** Which users of the tenant work can be given to: those that are not switched off. Asks no permission. */
export const userDirectory = {
  async exists(tx: TenantTx, userId: string): Promise<boolean> {
    const rows = await tx.query('SELECT FROM users WHERE tenant_id = $1 AND id = $2 AND is_enabled', [
      tx.tenantId,
      userId,
    ]);
    return rows.length > 0;
  },
  async findIdByEmail(tx: TenantTx, email: string): Promise<string | undefined> {
    const rows = await tx.query<{ id: string }>(
      'SELECT id FROM users WHERE tenant_id = $1 AND lower(email) = lower($2) AND is_enabled',
      [tx.tenantId, email],
    );
    return rows[0]?.id;
  },
};
