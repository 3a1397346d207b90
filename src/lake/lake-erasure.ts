import type { LakeClient } from '#platform/lake-client';
import type { Tx } from '#platform/postgres';
import { deleteTenantRows, dropDatabase } from './ddl.ts';
import { dedicatedDatabase, type LakeTable } from './lake-table.ts';
import { listTables } from './placement-store.ts';

/** Where rows of a tenant lie, as it is written down before its own rows in Postgres are deleted. */
export type LakePlace = Pick<LakeTable, 'layout' | 'database' | 'table'>;

export async function listPlaces(tx: Tx, tenantId: string): Promise<readonly LakePlace[]> {
  return (await listTables(tx, tenantId)).map(({ layout, database, table }) => ({ layout, database, table }));
}

/** Deletes every row of the tenant from the lake. Doing it again is harmless, and finds what came in meanwhile. */
export async function eraseFromLake(
  client: Pick<LakeClient, 'command'>,
  tenantId: string,
  places: readonly LakePlace[],
): Promise<void> {
  await client.command(dropDatabase(dedicatedDatabase(tenantId)));
  for (const place of places)
    if (place.layout === 'pooled') await client.command(deleteTenantRows(place, tenantId));
    else await client.command(dropDatabase(place.database));
}
