import type { TenantTx } from '#platform/postgres';

type Window = { readonly from: Date; readonly to: Date; readonly intervalMinutes: number };

export type UsageRow = {
  readonly logType: string;
  readonly bucket: Date;
  readonly events: number;
  readonly bytes: number;
};

/** Events of finished batches by log type and interval; the bytes of a batch are shared out by its events. */
export async function usageByLogType(
  tx: TenantTx,
  { from, to, intervalMinutes }: Window,
): Promise<readonly UsageRow[]> {
  const rows = await tx.query<{ log_type: string; bucket: Date; events: string; bytes: string }>(
    `SELECT c.key AS log_type, date_bin(make_interval(mins => $4::int), b.received_at, $2) AS bucket,
       sum(c.value::bigint) AS events,
       round(sum(b.bytes * c.value::numeric / greatest((b.counters ->> 'events')::numeric, 1))) AS bytes
     FROM batches b, jsonb_each_text(b.counters -> 'eventsByLogType') AS c
     WHERE b.tenant_id = $1 AND b.received_at >= $2 AND b.received_at < $3 AND b.state = 'DONE'
     GROUP BY 1, 2 ORDER BY 2`,
    [tx.tenantId, from, to, intervalMinutes],
  );
  return rows.map((row) => ({
    logType: row.log_type,
    bucket: row.bucket,
    events: Number(row.events),
    bytes: Number(row.bytes),
  }));
}

/** Bytes that came in the last 365 days, by the name of the source; what is not kept any more is not counted. */
export async function bytesBySource(
  tx: TenantTx,
): Promise<readonly { readonly label: string; readonly value: number }[]> {
  const rows = await tx.query<{ label: string; bytes: string }>(
    `SELECT coalesce(s.label, b.source_id::text) AS label, sum(b.bytes) AS bytes
     FROM batches b LEFT JOIN log_sources s ON s.tenant_id = b.tenant_id AND s.id = b.source_id
     WHERE b.tenant_id = $1 AND b.lane = 'live' AND b.received_at >= now() - interval '365 days'
     GROUP BY 1 ORDER BY 1`,
    [tx.tenantId],
  );
  return rows.map(({ label, bytes }) => ({ label, value: Number(bytes) }));
}
