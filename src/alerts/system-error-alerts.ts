import type { Clock } from '#platform/clock';
import { hashId } from '#platform/ids';
import type { Jobs } from '#platform/jobs';
import type { Database, TenantTx } from '#platform/postgres';
import { listOpenErrors, type SystemErrorRecorder, systemErrorRaisedJob } from '#system-errors';
import { sendOut } from './alert-intake.ts';

export type SystemErrorAlerts = {
  /** Makes the alert of a system error and sends it out. Twice is the same as once; an error that is gone is nothing. */
  raise(tenantId: string, systemErrorId: string): Promise<void>;
};

type Deps = {
  readonly database: Database;
  readonly systemErrors: Pick<SystemErrorRecorder, 'find'>;
  readonly clock: Clock;
};

const titles: Readonly<Record<string, string>> = {
  ALERT_DELIVERY: 'Alerts are not delivered to',
  DETECTION_ALERT_LIMIT_EXCEEDED: 'Too many alerts from the detection',
  DETECTION_INDEX_MISMATCH: 'The rule index left out the detection',
  SOURCE_CLASSIFICATION_FAILURES: 'Logs that fit no schema from',
  SOURCE_LOG_PROCESSING_ERRORS: 'Logs could not be processed from',
  SOURCE_NO_DATA: 'No data from',
  SOURCE_PERMISSIONS_CHECKS: 'Missing permissions for',
  SOURCE_SCANNING_ERRORS: 'Scanning failed for',
};

type NewSystemAlert = {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly dedup: string;
  readonly seenAt: Date;
  readonly now: Date;
  readonly traceId: string;
};

const alertIdOf = (tenantId: string, systemErrorId: string): string => hashId(tenantId, 'SYSTEM_ERROR', systemErrorId);

/** False when the alert is there already. */
async function insertSystemAlert(tx: TenantTx, alert: NewSystemAlert): Promise<boolean> {
  const inserted = await tx.execute(
    `INSERT INTO alerts (tenant_id, id, type, status, severity, title, description, reference, runbook, system_error_type,
       dedup, tags, mitre, log_types, log_sources, resource_types, event_count, first_received_at, last_received_at,
       created_at, trace_id)
     VALUES ($1, $2, 'SYSTEM_ERROR', 'OPEN', 'CRITICAL', $3, $4, '', '', $5, $6, '{}', '{}', '{}', '{}', '{}', 0, $7, $7, $8, $9)
     ON CONFLICT (tenant_id, id) DO NOTHING`,
    [
      tx.tenantId,
      alert.id,
      alert.title,
      alert.description,
      alert.type,
      alert.dedup,
      alert.seenAt,
      alert.now,
      alert.traceId,
    ],
  );
  return inserted === 1;
}

export function createSystemErrorAlerts({ database, systemErrors, clock }: Deps): SystemErrorAlerts {
  return {
    raise: (tenantId, systemErrorId) =>
      database.withTenant(tenantId, async (tx) => {
        const found = await systemErrors.find(tx, systemErrorId);
        if (found === undefined) return;
        const id = alertIdOf(tenantId, found.id);
        const now = clock.now();
        const isNew = await insertSystemAlert(tx, {
          id,
          type: found.type,
          title: `${titles[found.type] ?? found.type} "${found.subjectName}"`.slice(0, 1000),
          description: found.message,
          dedup: found.subjectId,
          seenAt: found.firstSeenAt,
          now,
          traceId: found.traceId,
        });
        if (!isNew) return;
        const alert = { id, type: 'SYSTEM_ERROR', severity: 'CRITICAL', logTypes: [], destinations: null } as const;
        await sendOut(tx, [alert], { now, traceId: found.traceId });
      }),
  };
}

/**
 * Puts open system errors on the queue again that have no alert: their job was lost with the queue, or with workers that
 * died. Returns how many.
 */
export async function raiseMissed({
  database,
  jobs,
  clock,
}: {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'enqueueAll'>;
  readonly clock: Clock;
}): Promise<number> {
  const open = await database.withSystem('system errors of all tenants are looked through', listOpenErrors);
  // The hour is part of the id, since the queue refuses an id of which it keeps a failure.
  const hour = Math.floor(clock.now().getTime() / 3_600_000);
  let count = 0;
  for (const [tenantId, errors] of Map.groupBy(open, (error) => error.tenantId)) {
    const wanted = errors.map(({ id }) => ({ id, alertId: alertIdOf(tenantId, id) }));
    const alertIds = wanted.map(({ alertId }) => alertId);
    const found = await database.withTenant(tenantId, (tx) =>
      tx.query<{ id: string }>('SELECT id FROM alerts WHERE tenant_id = $1 AND id = ANY ($2)', [tenantId, alertIds]),
    );
    const raised = new Set(found.map(({ id }) => id));
    const missed = wanted.filter(({ alertId }) => !raised.has(alertId));
    const items = missed.map(({ id }) => ({ payload: { tenantId, systemErrorId: id }, jobId: `${id}-${hour}` }));
    if (items.length > 0) await jobs.enqueueAll(systemErrorRaisedJob, items);
    count += missed.length;
  }
  return count;
}
