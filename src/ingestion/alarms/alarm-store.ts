import type { TenantTx, Tx } from '#platform/postgres';
import type { AlarmType, LogSourceAlarm } from './alarm.ts';

type AlarmRow = {
  source_id: string;
  type: AlarmType;
  minutes_threshold: number;
  set_at: Date;
  last_received_at: Date | null;
};

export async function findAlarm(tx: TenantTx, sourceId: string, type: AlarmType): Promise<LogSourceAlarm | undefined> {
  const [row] = await tx.query<AlarmRow>(
    `SELECT a.source_id, a.type, a.minutes_threshold, a.set_at, s.last_received_at
     FROM log_source_alarms a JOIN log_sources s ON s.tenant_id = a.tenant_id AND s.id = a.source_id
     WHERE a.tenant_id = $1 AND a.source_id = $2 AND a.type = $3`,
    [tx.tenantId, sourceId, type],
  );
  return (
    row && {
      sourceId: row.source_id,
      type: row.type,
      minutesThreshold: row.minutes_threshold,
      setAt: row.set_at,
      lastReceivedAt: row.last_received_at,
    }
  );
}

/** Sets or changes an alarm; its time begins when it is first set. False when there is no such source. */
export async function saveAlarm(
  tx: TenantTx,
  alarm: Pick<LogSourceAlarm, 'sourceId' | 'type' | 'minutesThreshold' | 'setAt'>,
): Promise<boolean> {
  const saved = await tx.execute(
    `INSERT INTO log_source_alarms (tenant_id, source_id, type, minutes_threshold, set_at)
     SELECT tenant_id, id, $3, $4, $5 FROM log_sources WHERE tenant_id = $1 AND id = $2
     ON CONFLICT (tenant_id, source_id, type) DO UPDATE SET minutes_threshold = excluded.minutes_threshold`,
    [tx.tenantId, alarm.sourceId, alarm.type, alarm.minutesThreshold, alarm.setAt],
  );
  return saved === 1;
}

export async function deleteAlarm(tx: TenantTx, sourceId: string, type: AlarmType): Promise<boolean> {
  const deleted = await tx.execute(
    'DELETE FROM log_source_alarms WHERE tenant_id = $1 AND source_id = $2 AND type = $3',
    [tx.tenantId, sourceId, type],
  );
  return deleted === 1;
}

/** Tenants whose alarms are not as they should be: silence not raised, data back, or an error of what is gone. */
export async function tenantsToLookAt(tx: Tx, now: Date): Promise<readonly string[]> {
  const rows = await tx.query<{ tenant_id: string }>(
    `SELECT a.tenant_id FROM log_source_alarms a JOIN log_sources s ON s.tenant_id = a.tenant_id AND s.id = a.source_id
     WHERE (a.raised_at IS NULL)
       = (coalesce(s.last_received_at, a.set_at) < $1::timestamptz - a.minutes_threshold * interval '1 minute')
     UNION SELECT e.tenant_id FROM system_errors e
     WHERE e.type = 'SOURCE_NO_DATA' AND e.resolved_at IS NULL AND NOT EXISTS (
       SELECT FROM log_source_alarms a WHERE a.tenant_id = e.tenant_id AND a.source_id::text = e.subject_id)`,
    [now],
  );
  return rows.map((row) => row.tenant_id);
}

export type Silence = { readonly sourceId: string; readonly label: string; readonly minutesThreshold: number };

/** Marks alarms whose source is silent for too long as raised, each once for one silence. */
export async function raiseSilent(tx: TenantTx, now: Date): Promise<readonly Silence[]> {
  const rows = await tx.query<{ source_id: string; label: string; minutes_threshold: number }>(
    `UPDATE log_source_alarms a SET raised_at = $2 FROM log_sources s
     WHERE a.tenant_id = $1 AND s.tenant_id = $1 AND s.id = a.source_id AND a.raised_at IS NULL
       AND coalesce(s.last_received_at, a.set_at) < $2::timestamptz - a.minutes_threshold * interval '1 minute'
     RETURNING a.source_id, s.label, a.minutes_threshold`,
    [tx.tenantId, now],
  );
  return rows.map((row) => ({
    sourceId: row.source_id,
    label: row.label,
    minutesThreshold: row.minutes_threshold,
  }));
}

/** Takes back alarms whose source sends again, and names all whose error is over, also of sources that are gone. */
export async function settleOver(tx: TenantTx, now: Date): Promise<readonly string[]> {
  const rows = await tx.query<{ source_id: string }>(
    `WITH back AS (
       UPDATE log_source_alarms a SET raised_at = NULL FROM log_sources s
       WHERE a.tenant_id = $1 AND s.tenant_id = $1 AND s.id = a.source_id AND a.raised_at IS NOT NULL
         AND coalesce(s.last_received_at, a.set_at) >= $2::timestamptz - a.minutes_threshold * interval '1 minute'
       RETURNING a.source_id::text
     ) SELECT source_id FROM back
     UNION SELECT e.subject_id FROM system_errors e
     WHERE e.tenant_id = $1 AND e.type = 'SOURCE_NO_DATA' AND e.resolved_at IS NULL AND NOT EXISTS (
       SELECT FROM log_source_alarms a WHERE a.tenant_id = $1 AND a.source_id::text = e.subject_id)`,
    [tx.tenantId, now],
  );
  return rows.map((row) => row.source_id);
}
