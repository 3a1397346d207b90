import type { TenantTx } from '#platform/postgres';

/** Tags after `after`, in their order. */
export async function listTags(tx: TenantTx, after: string, limit: number): Promise<readonly string[]> {
  const rows = await tx.query<{ tag: string }>(
    `SELECT tag FROM alert_context_tags WHERE tenant_id = $1 AND tag COLLATE "C" > $2 ORDER BY tag COLLATE "C" LIMIT $3`,
    [tx.tenantId, after, limit],
  );
  return rows.map(({ tag }) => tag);
}

/** Those of the tags that are not in the tenant's list. */
export async function unknownTags(tx: TenantTx, tags: readonly string[]): Promise<readonly string[]> {
  const rows = await tx.query<{ tag: string }>(
    `SELECT t.tag FROM unnest($2::text[]) AS t (tag)
     WHERE NOT EXISTS (SELECT FROM alert_context_tags k WHERE k.tenant_id = $1 AND k.tag = t.tag)`,
    [tx.tenantId, tags],
  );
  return rows.map(({ tag }) => tag);
}

/** Returns whether it was new. */
export async function insertTag(tx: TenantTx, tag: string): Promise<boolean> {
  const inserted = await tx.execute(
    'INSERT INTO alert_context_tags (tenant_id, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [tx.tenantId, tag],
  );
  return inserted === 1;
}

/** Returns whether there was such a tag. */
export async function deleteTagRow(tx: TenantTx, tag: string): Promise<boolean> {
  return (
    (await tx.execute('DELETE FROM alert_context_tags WHERE tenant_id = $1 AND tag = $2', [tx.tenantId, tag])) === 1
  );
}

/** Puts `to` in place of a tag on every alert that carries it; null takes it away. */
export async function replaceTagOnAlerts(tx: TenantTx, tag: string, to: string | null): Promise<number> {
  return tx.execute(
    `UPDATE alerts SET context_tags = CASE WHEN $3::text IS NULL OR $3 = ANY (context_tags)
         THEN array_remove(context_tags, $2) ELSE array_replace(context_tags, $2, $3) END
     WHERE tenant_id = $1 AND context_tags @> ARRAY[$2::text] AND context_tags <> '{}'`,
    [tx.tenantId, tag, to],
  );
}
