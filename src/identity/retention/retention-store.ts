import type { TenantTx, Tx } from '#platform/postgres';
import { noOwnRetention, type OwnRetention } from './retention.ts';

type Row = { tenant_id: string; raw_days: number | null; event_days: number | null; delivery_log_days: number | null };

const toRetention = (row: Row): OwnRetention => ({
  rawDays: row.raw_days,
  eventDays: row.event_days,
  deliveryLogDays: row.delivery_log_days,
});

const columns = 'tenant_id, raw_days, event_days, delivery_log_days';

export async function findRetention(tx: TenantTx): Promise<OwnRetention> {
  const rows = await tx.query<Row>(`SELECT ${columns} FROM tenant_retention WHERE tenant_id = $1`, [tx.tenantId]);
  return rows[0] === undefined ? noOwnRetention : toRetention(rows[0]);
}

/** Choices of every tenant that made one. */
export async function listRetention(tx: Tx): Promise<ReadonlyMap<string, OwnRetention>> {
  const rows = await tx.query<Row>(`SELECT ${columns} FROM tenant_retention`);
  return new Map(rows.map((row) => [row.tenant_id, toRetention(row)]));
}

export async function saveRetention(tx: TenantTx, own: OwnRetention): Promise<void> {
  await tx.execute(
    `INSERT INTO tenant_retention (tenant_id, raw_days, event_days, delivery_log_days) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id) DO UPDATE SET raw_days = $2, event_days = $3, delivery_log_days = $4, updated_at = now()`,
    [tx.tenantId, own.rawDays, own.eventDays, own.deliveryLogDays],
  );
}
