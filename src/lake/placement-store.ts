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
};

const columns = 'tenant_id, id, family, log_type, layout, database_name, table_name, columns';

const toTable = (row: TableRow): LakeTable => ({
  tenantId: row.tenant_id,
  id: row.id,
  family: row.family,
  logType: row.log_type,
  layout: row.layout,
  database: row.database_name,
  table: row.table_name,
  columns: row.columns,
});

export async function findTable(tx: TenantTx, family: LakeFamily, logType: string): Promise<LakeTable | undefined> {
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
export async function insertTable(tx: TenantTx, table: LakeTable): Promise<LakeTable> {
  await tx.execute(
    `INSERT INTO lake_tables (tenant_id, id, family, log_type, layout, database_name, table_name, columns)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, family, log_type) DO NOTHING`,
    [
      tx.tenantId,
      table.id,
      table.family,
      table.logType,
      table.layout,
      table.database,
      table.table,
      JSON.stringify(table.columns),
    ],
  );
  const stored = await findTable(tx, table.family, table.logType);
  if (stored === undefined) throw new Error('The lake table was not stored.');
  return stored;
}

export async function updateColumns(tx: TenantTx, id: string, list: readonly LakeColumn[]): Promise<void> {
  await tx.execute('UPDATE lake_tables SET columns = $3 WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    id,
    JSON.stringify(list),
  ]);
}
