import type { LakePlace } from '#lake';
import { isForeignKeyViolation, type Tx } from '#platform/postgres';

export type ErasureState = 'DELETING' | 'SETTLING' | 'DONE';

export type Erasure = {
  readonly tenantId: string;
  readonly slug: string;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly lakePlaces: readonly LakePlace[];
  readonly state: ErasureState;
  /** Numbers of what was deleted, by kind; what an interrupted attempt deleted is not counted. */
  readonly deleted: Readonly<Record<string, number>>;
  readonly rowsGoneAt: Date | null;
  readonly finishedAt: Date | null;
};

type ErasureRow = {
  erased_tenant_id: string;
  slug: string;
  requested_by: string;
  requested_at: Date;
  lake_tables: readonly LakePlace[];
  state: ErasureState;
  deleted: Readonly<Record<string, number>>;
  rows_gone_at: Date | null;
  finished_at: Date | null;
};

const toErasure = (row: ErasureRow): Erasure => ({
  tenantId: row.erased_tenant_id,
  slug: row.slug,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at,
  lakePlaces: row.lake_tables,
  state: row.state,
  deleted: row.deleted,
  rowsGoneAt: row.rows_gone_at,
  finishedAt: row.finished_at,
});

export async function findTenantBySlug(tx: Tx, slug: string): Promise<string | undefined> {
  const rows = await tx.query<{ id: string }>('SELECT id FROM tenants WHERE slug = $1', [slug]);
  return rows[0]?.id;
}

export async function findErasure(tx: Tx, tenantId: string): Promise<Erasure | undefined> {
  const rows = await tx.query<ErasureRow>('SELECT * FROM tenant_erasures WHERE erased_tenant_id = $1', [tenantId]);
  return rows[0] && toErasure(rows[0]);
}

/** The unfinished erasure of a tenant whose row is gone already. */
export async function findOpenErasure(tx: Tx, slug: string): Promise<Erasure | undefined> {
  const rows = await tx.query<ErasureRow>(
    "SELECT * FROM tenant_erasures WHERE slug = $1 AND state <> 'DONE' ORDER BY requested_at LIMIT 1",
    [slug],
  );
  return rows[0] && toErasure(rows[0]);
}

export async function listOpenErasures(tx: Tx): Promise<readonly Erasure[]> {
  const rows = await tx.query<ErasureRow>("SELECT * FROM tenant_erasures WHERE state <> 'DONE' ORDER BY requested_at");
  return rows.map(toErasure);
}

export async function insertErasure(
  tx: Tx,
  erasure: Pick<Erasure, 'tenantId' | 'slug' | 'requestedBy' | 'requestedAt' | 'lakePlaces'>,
): Promise<void> {
  await tx.execute(
    `INSERT INTO tenant_erasures (erased_tenant_id, slug, requested_by, requested_at, lake_tables, state)
     VALUES ($1, $2, $3, $4, $5, 'DELETING')`,
    [erasure.tenantId, erasure.slug, erasure.requestedBy, erasure.requestedAt, JSON.stringify(erasure.lakePlaces)],
  );
}

/**
 * Shuts every door of the tenant: no sender, token or session is known any more, its data key is destroyed and none is
 * made again. Locks the tenant's row, so that nobody who is making a key right now comes after this.
 */
export async function shutTenant(tx: Tx, tenantId: string, at: Date): Promise<void> {
  await tx.execute('UPDATE tenants SET erasing_at = coalesce(erasing_at, $2) WHERE id = $1', [tenantId, at]);
  for (const table of ['tenant_keys', 'log_sources', 'api_tokens', 'sessions'])
    await tx.execute(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
  await tx.execute('UPDATE users SET is_enabled = false WHERE tenant_id = $1', [tenantId]);
}

/** Remembers tables of the lake that were made since; none are forgotten. */
export async function saveLakePlaces(tx: Tx, tenantId: string, places: readonly LakePlace[]): Promise<void> {
  await tx.execute('UPDATE tenant_erasures SET lake_tables = $2 WHERE erased_tenant_id = $1', [
    tenantId,
    JSON.stringify(places),
  ]);
}

type TableRow = { name: string; is_deletable: boolean };

/** Every table that holds rows of tenants, as the catalogue of the database knows them. */
async function tenantTables(tx: Tx): Promise<readonly TableRow[]> {
  return tx.query<TableRow>(
    `SELECT c.oid::regclass::text AS name, has_table_privilege('margay_system', c.oid, 'DELETE') AS is_deletable
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.reltuples DESC, name`,
  );
}

const rowsPerRound = 10_000;

/** Deletes some rows of one table. Returns how many; 0 also when other tables still need them. */
async function deleteSome(tx: Tx, table: string, tenantId: string): Promise<number> {
  await tx.execute('SAVEPOINT some_rows');
  try {
    return await tx.execute(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE tenant_id = $1 LIMIT ${rowsPerRound}))`,
      [tenantId],
    );
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    await tx.execute('ROLLBACK TO SAVEPOINT some_rows');
    return 0;
  }
}

/** Deletes up to some thousands of the tenant's rows, so that no transaction grows with the tenant. 0 when few are left. */
export async function deleteSomeRows(tx: Tx, tenantId: string): Promise<number> {
  for (const { name, is_deletable: isDeletable } of await tenantTables(tx)) {
    const count = isDeletable ? await deleteSome(tx, name, tenantId) : 0;
    if (count > 0) return count;
  }
  return 0;
}

/** Deletes the tenant itself, and with it what is left. Throws when a table kept rows: it lacks its foreign key. */
export async function deleteTenantRow(tx: Tx, tenantId: string): Promise<void> {
  await tx.execute('DELETE FROM tenants WHERE id = $1', [tenantId]);
  for (const { name } of await tenantTables(tx)) {
    const rows = await tx.query(`SELECT FROM ${name} WHERE tenant_id = $1 LIMIT 1`, [tenantId]);
    if (rows.length > 0) throw new Error(`The table "${name}" keeps rows of a tenant that is gone.`);
  }
}

/** Notes progress; numbers are added to those of before. */
export async function saveErasure(
  tx: Tx,
  tenantId: string,
  progress: { readonly state: ErasureState; readonly deleted: Readonly<Record<string, number>>; readonly at: Date },
): Promise<void> {
  await tx.execute(
    `UPDATE tenant_erasures SET state = $2, deleted = $3,
       rows_gone_at = CASE WHEN $2 = 'SETTLING' THEN coalesce(rows_gone_at, $4) ELSE rows_gone_at END,
       finished_at = CASE WHEN $2 = 'DONE' THEN $4 END,
       lake_tables = CASE WHEN $2 = 'DONE' THEN '[]' ELSE lake_tables END
     WHERE erased_tenant_id = $1`,
    [tenantId, progress.state, JSON.stringify(progress.deleted), progress.at],
  );
}
