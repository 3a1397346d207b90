import type { LogTypeAccess } from '#access';
import type { TenantTx } from '#platform/postgres';
import { addAccess, newConditions } from '../alert-conditions.ts';

type Window = { readonly from: Date; readonly to: Date; readonly intervalMinutes: number };

export type AlertCount = {
  readonly kind: 'Policy' | 'Rule';
  readonly severity: string;
  readonly detectionId: string;
  readonly detectionName: string;
  readonly bucket: Date;
  readonly alerts: number;
};

type CountRow = {
  kind: 'Policy' | 'Rule';
  severity: string;
  detection_id: string;
  detection_name: string;
  bucket: Date;
  alerts: string;
};

/** Alerts of detections by kind, severity, detection and interval. */
export async function countAlerts(
  tx: TenantTx,
  { from, to, intervalMinutes }: Window,
  access: LogTypeAccess,
): Promise<readonly AlertCount[]> {
  const conditions = newConditions(tx.tenantId);
  const start = conditions.bind(from);
  conditions.add(`created_at >= ${start} AND created_at < ${conditions.bind(to)} AND detection_id IS NOT NULL`);
  conditions.add(`type = ANY (${conditions.bind(['RULE', 'SCHEDULED_RULE', 'POLICY', 'CORRELATION_RULE'])}::text[])`);
  addAccess(conditions, access);
  const rows = await tx.query<CountRow>(
    `SELECT CASE type WHEN 'POLICY' THEN 'Policy' ELSE 'Rule' END AS kind, severity, detection_id,
       max(coalesce(nullif(detection_name, ''), detection_id)) AS detection_name,
       date_bin(make_interval(mins => ${conditions.bind(intervalMinutes)}::int), created_at, ${start}) AS bucket,
       count(*) AS alerts
     FROM alerts WHERE ${conditions.text()} GROUP BY 1, 2, 3, 5 ORDER BY 5`,
    conditions.values,
  );
  return rows.map((row) => ({
    kind: row.kind,
    severity: row.severity,
    detectionId: row.detection_id,
    detectionName: row.detection_name,
    bucket: row.bucket,
    alerts: Number(row.alerts),
  }));
}
