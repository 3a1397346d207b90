import { hashId } from '#platform/ids';
import type { TenantTx, Tx } from '#platform/postgres';
import type { AlertId } from '../alert.ts';
import type { Delivery, DeliveryAttempt, DeliveryState, Settlement } from './delivery.ts';

/** An alert that must reach a destination. */
export type Route = { readonly alertId: AlertId; readonly destinationId: string };

/** Adds the deliveries that do not exist yet and returns their ids. The same route twice is the same as once. */
export async function insertDeliveries(
  tx: TenantTx,
  routes: readonly Route[],
  options: { readonly now: Date; readonly attemptsMax: number; readonly traceId: string },
): Promise<readonly string[]> {
  if (routes.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `INSERT INTO alert_deliveries (tenant_id, id, alert_id, destination_id, kind, state, attempts_left, next_attempt_at,
       created_at, trace_id)
     SELECT $1, id, alert_id, destination_id, 'ALERT', 'PENDING', $5, $6, $6, $7
     FROM unnest($2::text[], $3::text[], $4::uuid[]) AS route (id, alert_id, destination_id)
     ON CONFLICT DO NOTHING RETURNING id`,
    [
      tx.tenantId,
      routes.map(({ alertId, destinationId }) => hashId(tx.tenantId, alertId, destinationId, 'ALERT')),
      routes.map(({ alertId }) => alertId),
      routes.map(({ destinationId }) => destinationId),
      options.attemptsMax,
      options.now,
      options.traceId,
    ],
  );
  return rows.map(({ id }) => id);
}

/** A delivery that this process alone may attempt until `leaseUntil`. */
export type Claim = {
  readonly id: string;
  readonly alertId: AlertId;
  readonly destinationId: string;
  /** Number of this attempt; results of older attempts are not taken any more. */
  readonly attempt: number;
  readonly attemptsLeft: number;
  readonly resends: number;
  readonly traceId: string;
};

type ClaimRow = {
  id: string;
  alert_id: string;
  destination_id: string;
  attempts: number;
  attempts_left: number;
  resends: number;
  trace_id: string;
};

type ClaimOptions = {
  readonly now: Date;
  readonly leaseUntil: Date;
  /** How many attempts at one destination may be under way at the same time, about. */
  readonly parallelMax: number;
};

const claimSql = (which: string): string => `UPDATE alert_deliveries SET attempts = attempts + 1,
    attempts_left = attempts_left - 1, lease_until = $4
  WHERE tenant_id = $1 AND id = (
    SELECT d.id FROM alert_deliveries d
    WHERE d.tenant_id = $1 AND ${which} AND d.state = 'PENDING' AND d.next_attempt_at <= $3
      AND (d.lease_until IS NULL OR d.lease_until <= $3)
      AND (SELECT count(*) FROM alert_deliveries other WHERE other.tenant_id = $1 AND other.state = 'PENDING'
             AND other.destination_id = d.destination_id AND other.lease_until > $3) < $5
    ORDER BY d.next_attempt_at, d.id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, alert_id, destination_id, attempts, attempts_left, resends, trace_id`;

const claimThis = claimSql('d.id = $2');
const claimAny = claimSql('d.destination_id = $2');

async function claim(tx: TenantTx, sql: string, key: string, options: ClaimOptions): Promise<Claim | undefined> {
  const values = [tx.tenantId, key, options.now, options.leaseUntil, options.parallelMax];
  const row = (await tx.query<ClaimRow>(sql, values))[0];
  return (
    row && {
      id: row.id,
      alertId: row.alert_id,
      destinationId: row.destination_id,
      attempt: row.attempts,
      attemptsLeft: row.attempts_left,
      resends: row.resends,
      traceId: row.trace_id,
    }
  );
}

/** Takes one delivery, unless it is done, not due, taken, or its destination is busy. */
export const claimDelivery = (tx: TenantTx, id: string, options: ClaimOptions): Promise<Claim | undefined> =>
  claim(tx, claimThis, id, options);

/** Takes the delivery of a destination that has been due longest. */
export const claimNext = (tx: TenantTx, destinationId: string, options: ClaimOptions): Promise<Claim | undefined> =>
  claim(tx, claimAny, destinationId, options);

/** Writes what became of a claimed delivery. False when somebody else has taken it since; then nothing changes. */
export async function saveSettlement(
  tx: TenantTx,
  { id, attempt }: Pick<Claim, 'id' | 'attempt'>,
  settlement: Settlement,
  { statusCode, message, now }: { readonly statusCode: number; readonly message: string; readonly now: Date },
): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE alert_deliveries SET state = $4, lease_until = NULL, status_code = $5, message = $6,
       next_attempt_at = coalesce($7, next_attempt_at), delivered_at = CASE WHEN $4 = 'DELIVERED' THEN $8::timestamptz ELSE delivered_at END
     WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'PENDING'`,
    [
      tx.tenantId,
      id,
      attempt,
      settlement.state,
      statusCode,
      message,
      settlement.state === 'PENDING' ? settlement.nextAttemptAt : null,
      now,
    ],
  );
  return changed === 1;
}

export async function insertAttempt(
  tx: TenantTx,
  attempt: Omit<DeliveryAttempt, 'alertId' | 'destinationId'>,
): Promise<void> {
  await tx.execute(
    `INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, dispatched_at, duration_ms, success, status_code, message)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      tx.tenantId,
      attempt.deliveryId,
      attempt.attempt,
      attempt.dispatchedAt,
      attempt.durationMs,
      attempt.success,
      attempt.statusCode,
      attempt.message,
    ],
  );
}

type DeliveryRow = {
  id: string;
  alert_id: string;
  destination_id: string;
  state: DeliveryState;
  attempts: number;
  next_attempt_at: Date;
  created_at: Date;
  delivered_at: Date | null;
};

const deliveryColumns = 'id, alert_id, destination_id, state, attempts, next_attempt_at, created_at, delivered_at';

const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  alertId: row.alert_id,
  destinationId: row.destination_id,
  state: row.state,
  attempts: row.attempts,
  nextAttemptAt: row.state === 'PENDING' ? row.next_attempt_at : null,
  createdAt: row.created_at,
  deliveredAt: row.delivered_at,
});

export async function findDelivery(tx: TenantTx, id: string): Promise<Delivery | undefined> {
  const rows = await tx.query<DeliveryRow>(
    `SELECT ${deliveryColumns} FROM alert_deliveries WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id],
  );
  return rows[0] && toDelivery(rows[0]);
}

export async function listDeliveriesOf(tx: TenantTx, alertIds: readonly AlertId[]): Promise<readonly Delivery[]> {
  const rows = await tx.query<DeliveryRow>(
    `SELECT ${deliveryColumns} FROM alert_deliveries WHERE tenant_id = $1 AND alert_id = ANY ($2::text[])
     ORDER BY created_at, id`,
    [tx.tenantId, alertIds],
  );
  return rows.map(toDelivery);
}

type AttemptRow = {
  delivery_id: string;
  alert_id: string;
  destination_id: string;
  attempt: number;
  dispatched_at: Date;
  duration_ms: number;
  success: boolean;
  status_code: number;
  message: string;
};

/** The delivery log of alerts, oldest line first. */
export async function listAttemptsOf(tx: TenantTx, alertIds: readonly AlertId[]): Promise<readonly DeliveryAttempt[]> {
  const rows = await tx.query<AttemptRow>(
    `SELECT a.delivery_id, d.alert_id, d.destination_id, a.attempt, a.dispatched_at, a.duration_ms, a.success,
       a.status_code, a.message
     FROM alert_deliveries d JOIN alert_delivery_attempts a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.id
     WHERE d.tenant_id = $1 AND d.alert_id = ANY ($2::text[]) ORDER BY a.dispatched_at, a.delivery_id, a.attempt`,
    [tx.tenantId, alertIds],
  );
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    alertId: row.alert_id,
    destinationId: row.destination_id,
    attempt: row.attempt,
    dispatchedAt: row.dispatched_at,
    durationMs: row.duration_ms,
    success: row.success,
    statusCode: row.status_code,
    message: row.message,
  }));
}

/** Due at once, with all attempts again. What was delivered gets a new idempotency key: it is meant to arrive twice. */
export async function rescheduleDelivery(tx: TenantTx, id: string, now: Date, attemptsLeft: number): Promise<void> {
  await tx.execute(
    `UPDATE alert_deliveries SET next_attempt_at = $3, attempts_left = $4, delivered_at = NULL,
       resends = resends + CASE WHEN state = 'DELIVERED' THEN 1 ELSE 0 END, state = 'PENDING'
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, id, now, attemptsLeft],
  );
}

export type DueDelivery = { readonly tenantId: string; readonly id: string; readonly attempts: number };

/** What should have been attempted by `before`, of all tenants, a few of each destination so that none fills the queue. */
export async function listDue(
  tx: Tx,
  {
    now,
    before,
    perDestination,
    limit,
  }: { readonly now: Date; readonly before: Date; readonly perDestination: number; readonly limit: number },
): Promise<readonly DueDelivery[]> {
  return tx.query<DueDelivery>(
    `SELECT tenant_id AS "tenantId", id, attempts FROM (
       SELECT tenant_id, id, attempts, next_attempt_at,
         row_number() OVER (PARTITION BY tenant_id, destination_id ORDER BY next_attempt_at, id) AS place
       FROM alert_deliveries
       WHERE state = 'PENDING' AND next_attempt_at <= $2 AND (lease_until IS NULL OR lease_until <= $1)
     ) AS due WHERE place <= $3 ORDER BY place, next_attempt_at LIMIT $4`,
    [now, before, perDestination, limit],
  );
}
