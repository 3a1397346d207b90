import type { TenantTx, Tx } from '#platform/postgres';
import type { LakeColumn, LakeFamily, LakeTable } from './lake-table.ts';

type TableRow = {
  tenant_id: string;
  id: string;
  family: LakeFamily;
  log_type: string;
  layout: LakeTable['layout'];
  database_name: string;
  table_name: string;
  columns: readonly LakeColumn[];
  packing: number;
};

/** A table, and the number of the way in which its columns are packed. */
export type PlacedTable = LakeTable & { readonly packing: number };

const columns = 'tenant_id, id, family, log_type, layout, database_name, table_name, columns, packing';

const toTable = (row: TableRow): PlacedTable => ({
  tenantId: row.tenant_id,
  id: row.id,
  family: row.family,
  logType: row.log_type,
  layout: row.layout,
  database: row.database_name,
  table: row.table_name,
  columns: row.columns,
  packing: row.packing,
});

export async function findTable(tx: TenantTx, family: LakeFamily, logType: string): Promise<PlacedTable | undefined> {
  const rows = await tx.query<TableRow>(
    `SELECT ${columns} FROM lake_tables WHERE tenant_id = $1 AND family = $2 AND log_type = $3`,
    [tx.tenantId, family, logType],
  );
  return rows[0] === undefined ? undefined : toTable(rows[0]);
}

export async function listTables(tx: Tx, tenantId: string): Promise<readonly LakeTable[]> {
  const rows = await tx.query<TableRow>(
    `SELECT ${columns} FROM lake_tables WHERE tenant_id = $1 ORDER BY family, log_type`,
    [tenantId],
  );
  return rows.map(toTable);
}

export async function getTableById(tx: Tx, tenantId: string, id: string): Promise<LakeTable> {
  const rows = await tx.query<TableRow>(`SELECT ${columns} FROM lake_tables WHERE tenant_id = $1 AND id = $2`, [
    tenantId,
    id,
  ]);
  if (rows[0] === undefined) throw new Error('The lake table is gone.');
  return toTable(rows[0]);
}

/** Remembers a table; when another process was first, its row counts. */
export async function insertTable(tx: TenantTx, table: PlacedTable): Promise<LakeTable> {
  await tx.execute(
    `INSERT INTO lake_tables (tenant_id, id, family, log_type, layout, database_name, table_name, columns, packing)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, family, log_type) DO NOTHING`,
    [
      tx.tenantId,
      table.id,
      table.family,
      table.logType,
      table.layout,
      table.database,
      table.table,
      JSON.stringify(table.columns),
      table.packing,
    ],
  );
  const stored = await findTable(tx, table.family, table.logType);
  if (stored === undefined) throw new Error('The lake table was not stored.');
  return stored;
}

export async function updateTable(tx: TenantTx, table: Pick<PlacedTable, 'id' | 'columns' | 'packing'>): Promise<void> {
  await tx.execute('UPDATE lake_tables SET columns = $3, packing = $4 WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    table.id,
    JSON.stringify(table.columns),
    table.packing,
  ]);
}
