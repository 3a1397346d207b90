import type { TenantTx } from '#platform/postgres';
import { type AlertId, initialStatus } from './alert.ts';
import type { AlertSeed } from './dedup/detection-match.ts';
import type { Tally } from './dedup/window.ts';

export type NewAlert = { readonly id: AlertId; readonly seed: AlertSeed; readonly tally: Tally };
export type AlertGrowth = { readonly id: AlertId; readonly tally: Tally };

/** Contexts can be large; one statement carries about this much. */
const statementCharactersMax = 8 * 1024 * 1024;

function* packRows(rows: readonly object[]): Generator<string> {
  let texts: string[] = [];
  let length = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (length > 0 && length + text.length > statementCharactersMax) {
      yield `[${texts.join(',')}]`;
      texts = [];
      length = 0;
    }
    texts.push(text);
    length += text.length;
  }
  if (texts.length > 0) yield `[${texts.join(',')}]`;
}

const tallyColumns = ({ count, firstEventAt, lastEventAt, firstReceivedAt, lastReceivedAt, ...lists }: Tally) => ({
  event_count: count,
  first_event_at: firstEventAt,
  last_event_at: lastEventAt,
  first_received_at: firstReceivedAt,
  last_received_at: lastReceivedAt,
  log_types: lists.logTypes,
  log_sources: lists.logSources,
});

const tallyTypes = `event_count bigint, first_event_at timestamptz, last_event_at timestamptz,
  first_received_at timestamptz, last_received_at timestamptz, log_types text[], log_sources text[]`;

/** What an existing row becomes when more matches arrive; `m` is the row of additions. */
const grow = (row: string, more: string): string => `event_count = ${row}.event_count + ${more}.event_count,
  first_event_at = least(${row}.first_event_at, ${more}.first_event_at),
  last_event_at = greatest(${row}.last_event_at, ${more}.last_event_at),
  first_received_at = least(${row}.first_received_at, ${more}.first_received_at),
  last_received_at = greatest(${row}.last_received_at, ${more}.last_received_at),
  log_types = ARRAY(SELECT DISTINCT unnest(${row}.log_types || ${more}.log_types) ORDER BY 1),
  log_sources = ARRAY(SELECT DISTINCT unnest(${row}.log_sources || ${more}.log_sources) ORDER BY 1)`;

const insertSql = `INSERT INTO alerts (tenant_id, id, type, status, severity, title, description, reference, runbook, context,
    detection_id, detection_name, dedup, tags, mitre, resource_types, event_count, first_event_at, last_event_at,
    first_received_at, last_received_at, log_types, log_sources, created_at, trace_id)
  SELECT $1, id, type, status, severity, title, description, reference, runbook, context, detection_id, detection_name,
    dedup, tags, mitre, '{}', event_count, first_event_at, last_event_at, first_received_at, last_received_at,
    log_types, log_sources, $3, $4
  FROM json_to_recordset($2::json) AS m (id text, type text, status text, severity text, title text, description text,
    reference text, runbook text, context text, detection_id text, detection_name text, dedup text, tags text[],
    mitre text[], ${tallyTypes})
  ORDER BY id COLLATE "C"
  ON CONFLICT (tenant_id, id) DO UPDATE SET ${grow('alerts', 'excluded')}`;

/** A window that was cleaned away and comes again meets its old alert, which then grows. */
export async function insertAlerts(
  tx: TenantTx,
  alerts: readonly NewAlert[],
  { createdAt, traceId }: { readonly createdAt: Date; readonly traceId: string },
): Promise<void> {
  const rows = alerts.map(({ id, seed, tally }) => ({
    id,
    type: seed.type,
    status: initialStatus(seed.severity),
    severity: seed.severity,
    title: seed.title,
    description: seed.description,
    reference: seed.reference,
    runbook: seed.runbook,
    context: seed.context,
    detection_id: seed.detectionId,
    detection_name: seed.detectionName,
    dedup: seed.dedup,
    tags: seed.tags,
    mitre: seed.mitre,
    ...tallyColumns(tally),
  }));
  for (const packed of packRows(rows)) await tx.execute(insertSql, [tx.tenantId, packed, createdAt, traceId]);
}

/** Locks in the order of ids first: people change several alerts at once, too. */
export async function growAlerts(tx: TenantTx, growths: readonly AlertGrowth[]): Promise<void> {
  if (growths.length === 0) return;
  await tx.execute(
    `SELECT 1 FROM alerts WHERE tenant_id = $1 AND id = ANY ($2::text[]) ORDER BY id COLLATE "C" FOR NO KEY UPDATE`,
    [tx.tenantId, growths.map(({ id }) => id)],
  );
  const rows = growths.map(({ id, tally }) => ({ id, ...tallyColumns(tally) }));
  await tx.execute(
    `UPDATE alerts SET ${grow('alerts', 'm')} FROM json_to_recordset($2::json) AS m (id text, ${tallyTypes})
     WHERE alerts.tenant_id = $1 AND alerts.id = m.id`,
    [tx.tenantId, JSON.stringify(rows)],
  );
}
