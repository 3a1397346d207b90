import type { Tx } from '#platform/postgres';

/**
 * Deletes attempts that began before a tenant's time; those of deliveries that still wait stay. `ownDays` holds the
 * tenants that keep their log for another time than `days`. Returns how many went, at most `limit`.
 */
export async function deleteOldAttempts(
  tx: Tx,
  now: Date,
  keep: { readonly days: number; readonly ownDays: ReadonlyMap<string, number> },
  limit: number,
): Promise<number> {
  const own = [...keep.ownDays].map(([tenantId, days]) => ({ tenant_id: tenantId, days }));
  const daysMin = Math.min(keep.days, ...keep.ownDays.values());
  return tx.execute(
    `DELETE FROM alert_delivery_attempts WHERE (tenant_id, delivery_id, attempt) IN (
       SELECT a.tenant_id, a.delivery_id, a.attempt FROM alert_delivery_attempts a
       JOIN alert_deliveries d ON d.tenant_id = a.tenant_id AND d.id = a.delivery_id AND d.state <> 'PENDING'
       LEFT JOIN jsonb_to_recordset($4::jsonb) AS own (tenant_id uuid, days integer) ON own.tenant_id = a.tenant_id
       WHERE a.dispatched_at < $1::timestamptz - make_interval(days => $3)
         AND a.dispatched_at < $1::timestamptz - make_interval(days => coalesce(own.days, $2))
       ORDER BY a.dispatched_at LIMIT $5)`,
    [now, keep.days, daysMin, JSON.stringify(own), limit],
  );
}
