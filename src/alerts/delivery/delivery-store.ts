import type { TenantTx, Tx } from '#platform/postgres';
import type { AttemptOutcome, Delivery, DeliveryState } from './delivery.ts';

type DeliveryRow = {
  id: string;
  alert_id: string;
  destination_id: string;
  state: DeliveryState;
  attempts: number;
  next_attempt_at: Date;
  status_code: number | null;
  message: string | null;
  created_at: Date;
  finished_at: Date | null;
};

const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  alertId: row.alert_id,
  destinationId: row.destination_id,
  state: row.state,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
  statusCode: row.status_code,
  message: row.message,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

export async function insertDelivery(
  tx: TenantTx,
  delivery: Pick<Delivery, 'id' | 'alertId' | 'destinationId' | 'createdAt'>,
): Promise<void> {
  await tx.execute(
    `INSERT INTO alert_deliveries (tenant_id, id, alert_id, destination_id, state, next_attempt_at, created_at)
     VALUES ($1, $2, $3, $4, 'PENDING', $5, $5) ON CONFLICT (tenant_id, alert_id, destination_id) DO NOTHING`,
    [tx.tenantId, delivery.id, delivery.alertId, delivery.destinationId, delivery.createdAt],
  );
}

/** Takes a due delivery for one attempt; nobody else sees it as due while the attempt may run. */
export async function beginAttempt(
  tx: TenantTx,
  id: string,
  now: Date,
  seconds: number,
): Promise<Delivery | undefined> {
  const rows = await tx.query<DeliveryRow>(
    `UPDATE alert_deliveries SET attempts = attempts + 1, next_attempt_at = $3::timestamptz + make_interval(secs => $4)
     WHERE tenant_id = $1 AND id = $2 AND state = 'PENDING' AND next_attempt_at <= $3 RETURNING *`,
    [tx.tenantId, id, now, seconds],
  );
  return rows[0] && toDelivery(rows[0]);
}

export async function finishAttempt(
  tx: TenantTx,
  id: string,
  outcome: AttemptOutcome,
  next: { readonly state: DeliveryState; readonly nextAttemptAt: Date },
  now: Date,
): Promise<void> {
  await tx.execute(
    `UPDATE alert_deliveries SET state = $3, next_attempt_at = $4, status_code = $5, message = $6,
       finished_at = CASE WHEN $3 = 'PENDING' THEN NULL ELSE $7::timestamptz END
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id, next.state, next.nextAttemptAt, outcome.statusCode ?? null, outcome.message.slice(0, 1000), now],
  );
}

export async function listDue(
  tx: Tx,
  limit: number,
): Promise<readonly { readonly tenantId: string; readonly deliveryId: string }[]> {
  const rows = await tx.query<{ tenant_id: string; id: string }>(
    `SELECT tenant_id, id FROM alert_deliveries WHERE state = 'PENDING' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, deliveryId: row.id }));
}

export async function listDeliveries(tx: TenantTx, alertIds: readonly string[]): Promise<readonly Delivery[]> {
  const rows = await tx.query<DeliveryRow>(
    'SELECT * FROM alert_deliveries WHERE tenant_id = $1 AND alert_id = ANY($2::text[]) ORDER BY created_at, id',
    [tx.tenantId, alertIds],
  );
  return rows.map(toDelivery);
}
