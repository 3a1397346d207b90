import type { Clock } from '#platform/clock';
import type { LakeClient } from '#platform/lake-client';
import type { Database } from '#platform/postgres';
import { deleteOldTenantRows, dropPartition } from './ddl.ts';
import type { LakeTable } from './lake-table.ts';
import { listTables } from './placement-store.ts';

const dayMs = 24 * 3_600_000;
const weekMs = 7 * dayMs;

type Deps = {
  readonly database: Database;
  readonly client: Pick<LakeClient, 'command' | 'rows'>;
  readonly clock: Clock;
};

/** Weeks of a table that ended before the time: whole partitions, which cost nothing to drop. */
async function oldPartitions({ client }: Deps, table: LakeTable, before: Date): Promise<readonly string[]> {
  const rows = await client.rows<{ id: string }>(
    `SELECT DISTINCT partition_id AS id FROM system.parts
     WHERE database = {database:String} AND table = {table:String} AND active ORDER BY id`,
    { database: table.database, table: table.table },
  );
  const endOf = (id: string): number =>
    Date.parse(`${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T00:00:00Z`) + weekMs;
  return rows.map(({ id }) => id).filter((id) => /^\d{8}$/.test(id) && endOf(id) <= before.getTime());
}

async function forgetInTable(deps: Deps, table: LakeTable, before: Date): Promise<number> {
  if (table.layout === 'dedicated') {
    const old = await oldPartitions(deps, table, before);
    for (const id of old) await deps.client.command(dropPartition(table, id));
    return old.length;
  }
  const statement = deleteOldTenantRows(table, table.tenantId, before);
  const [found] = await deps.client.rows<{ n: number }>(statement.count);
  if ((found?.n ?? 0) > 0) await deps.client.command(statement.delete);
  return found?.n ?? 0;
}

/**
 * Deletes rows of a tenant that came before the given number of days, for tenants that keep less than the deployment.
 * In tables of their own whole weeks go, so a row stays up to seven days longer. Returns how many weeks or rows went.
 */
export async function forgetOldRows(deps: Deps, tenantId: string, eventDays: number): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - eventDays * dayMs);
  let count = 0;
  for (const table of await deps.database.withTenant(tenantId, (tx) => listTables(tx, tenantId)))
    count += await forgetInTable(deps, table, before);
  return count;
}
