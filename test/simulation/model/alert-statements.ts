import {
  at,
  by,
  dateAt,
  insertedRow,
  jsonAt,
  listAt,
  numberAt,
  statement,
  textAt,
  time,
  type Values,
} from './statement.ts';
import type { Row, Transaction } from './transaction.ts';

const dateColumns = /_at$/;

/** Rows of a `json_to_recordset`: times are texts there. */
const recordset = (values: Values, place: number): readonly Row[] =>
  (jsonAt(values, place) as Row[]).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        dateColumns.test(name) && typeof value === 'string' ? new Date(value) : value,
      ]),
    ),
  );

const isTheRow =
  (values: Values) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && row['id'] === at(values, 2);

const isOneOf = (values: Values) => {
  const ids = new Set(listAt(values, 2));
  return (row: Row): boolean => row['tenant_id'] === at(values, 1) && ids.has(String(row['id']));
};

const earliest = (a: unknown, b: unknown): Date => new Date(Math.min(time(a), time(b)));
const latest = (a: unknown, b: unknown): Date => new Date(Math.max(time(a), time(b)));
const union = (a: unknown, b: unknown): readonly string[] =>
  [...new Set([...(a as readonly string[]), ...(b as readonly string[])])].toSorted();

/** What an alert becomes when more matches arrive. */
const grown = (old: Row, more: Row): Row => ({
  event_count: Number(old['event_count']) + Number(more['event_count']),
  first_event_at: earliest(old['first_event_at'], more['first_event_at']),
  last_event_at: latest(old['last_event_at'], more['last_event_at']),
  first_received_at: earliest(old['first_received_at'], more['first_received_at']),
  last_received_at: latest(old['last_received_at'], more['last_received_at']),
  log_types: union(old['log_types'], more['log_types']),
  log_sources: union(old['log_sources'], more['log_sources']),
});

const byId = (a: Row, b: Row): number => (String(a['id']) < String(b['id']) ? -1 : 1);

const windowStatements = [
  statement('addWindows', ['INSERT INTO alert_windows'], async (tx, values) => {
    const added: Row[] = [];
    for (const row of recordset(values, 2).toSorted(byId)) {
      const fresh = { ...row, tenant_id: at(values, 1), pending: null };
      if (await tx.insert('alert_windows', fresh, 'nothing')) added.push(fresh);
    }
    return added;
  }),
  statement('lockWindows', ['FROM alert_windows WHERE tenant_id = $1 AND id = ANY ($2::text[])'], (tx, values) =>
    tx.lockRows('alert_windows', isOneOf(values), { order: byId }),
  ),
  statement('saveWindows', ['UPDATE alert_windows AS kept SET'], (tx, values) => {
    const byWindow = new Map(recordset(values, 2).map((row) => [row['id'], row]));
    const isOurs = (row: Row): boolean => row['tenant_id'] === at(values, 1) && byWindow.has(row['id']);
    return tx.update('alert_windows', isOurs, (row) => byWindow.get(row['id']) ?? row);
  }),
  statement('deleteOldWindows', ['DELETE FROM alert_windows'], (tx, values) =>
    tx.delete('alert_windows', (row) => time(row['closes_at']) < time(dateAt(values, 1)), {
      limit: numberAt(values, 2),
      skips: true,
    }),
  ),
];

const newAlert: Row = {
  system_error_type: null,
  context_tags: [],
  quality: null,
  assignee_id: null,
  updated_at: null,
  updated_by_kind: null,
  updated_by_id: null,
  updated_by_name: null,
};

const alertStatements = [
  statement('insertAlerts', ['INSERT INTO alerts', 'json_to_recordset'], async (tx, values) => {
    const made: Row[] = [];
    for (const row of recordset(values, 2).toSorted(byId)) {
      const base = { ...newAlert, tenant_id: at(values, 1), created_at: at(values, 3), trace_id: at(values, 4) };
      const fresh = { ...base, ...row };
      const alert = await tx.insert('alerts', fresh, (old) => ({ ...old, ...grown(old, fresh) }));
      if (alert !== undefined) made.push(alert);
    }
    return made;
  }),
  statement('lockAlertsToGrow', ['SELECT 1 FROM alerts'], (tx, values) =>
    tx.lockRows('alerts', isOneOf(values), { order: byId }),
  ),
  statement('growAlerts', ['UPDATE alerts SET event_count', 'json_to_recordset'], (tx, values) => {
    const more = new Map(recordset(values, 2).map((row) => [row['id'], row]));
    const isOurs = (row: Row): boolean => row['tenant_id'] === at(values, 1) && more.has(row['id']);
    return tx.update('alerts', isOurs, (row) => grown(row, more.get(row['id']) ?? {}));
  }),
  statement('findContexts', ['SELECT id AS "alertId", context AS text FROM alerts'], (tx, values) =>
    tx.select('alerts', isOneOf(values)).map((row) => ({ alertId: row['id'], text: row['context'] })),
  ),
  statement('findAlerts', ['trace_id FROM alerts WHERE tenant_id = $1 AND id = ANY ($2::text[])'], (tx, values) =>
    tx.select('alerts', isOneOf(values)),
  ),
  statement('insertSystemAlert', ['INSERT INTO alerts', "'SYSTEM_ERROR'"], async (tx, values) => {
    const [tenantId, id, title, description, errorType, dedup, seenAt, createdAt, traceId] = values;
    const texts = { id, title, description, dedup, type: 'SYSTEM_ERROR', status: 'OPEN', severity: 'CRITICAL' };
    const empty = { reference: '', runbook: '', tags: [], mitre: [], log_types: [], log_sources: [], context: null };
    const times = { first_event_at: null, last_event_at: null, first_received_at: seenAt, last_received_at: seenAt };
    const kind = { tenant_id: tenantId, system_error_type: errorType, detection_id: null, detection_name: null };
    const row = { ...newAlert, ...texts, ...empty, ...times, ...kind, event_count: 0 };
    const made = await tx.insert('alerts', { ...row, created_at: createdAt, trace_id: traceId }, 'nothing');
    return made === undefined ? [] : [made];
  }),
];

const destinationStatements = [
  statement('insertDestination', ['INSERT INTO destinations'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    await tx.insert('destinations', { deleted_at: null, ...row });
    return [row];
  }),
  statement('listDestinations', ['FROM destinations WHERE tenant_id = $1 AND deleted_at IS NULL'], (tx, values) =>
    tx
      .select('destinations', (row) => row['tenant_id'] === at(values, 1) && row['deleted_at'] === null)
      .toSorted(by('name', 'id')),
  ),
  statement('findDestination', ['FROM destinations WHERE tenant_id = $1 AND id = $2'], (tx, values) =>
    tx.select('destinations', (row) => isTheRow(values)(row) && row['deleted_at'] === null),
  ),
];

const newDelivery: Row = {
  kind: 'ALERT',
  state: 'PENDING',
  attempts: 0,
  resends: 0,
  lease_until: null,
  delivered_at: null,
  status_code: null,
  message: null,
};

const isFree = (row: Row, now: Date): boolean => row['lease_until'] === null || time(row['lease_until']) <= time(now);

async function claim(tx: Transaction, values: Values, which: (row: Row) => boolean): Promise<readonly Row[]> {
  const now = dateAt(values, 3);
  const isBusy = (destinationId: unknown): boolean =>
    tx.select(
      'alert_deliveries',
      (row) =>
        row['tenant_id'] === at(values, 1) &&
        row['state'] === 'PENDING' &&
        row['destination_id'] === destinationId &&
        time(row['lease_until']) > time(now),
    ).length >= numberAt(values, 5);
  const isClaimable = (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) &&
    which(row) &&
    row['state'] === 'PENDING' &&
    time(row['next_attempt_at']) <= time(now) &&
    isFree(row, now) &&
    !isBusy(row['destination_id']);
  return tx.update(
    'alert_deliveries',
    isClaimable,
    (row) => ({
      attempts: Number(row['attempts']) + 1,
      attempts_left: Number(row['attempts_left']) - 1,
      lease_until: at(values, 4),
    }),
    { order: by('next_attempt_at', 'id'), limit: 1, skips: true },
  );
}

const deliveryStatements = [
  statement('insertDeliveries', ['INSERT INTO alert_deliveries'], async (tx, values) => {
    const alertIds = listAt(values, 3);
    const destinationIds = listAt(values, 4);
    const made: Row[] = [];
    for (const [index, id] of listAt(values, 2).entries()) {
      const route = { tenant_id: at(values, 1), id, alert_id: alertIds[index], destination_id: destinationIds[index] };
      const times = { attempts_left: at(values, 5), next_attempt_at: at(values, 6), created_at: at(values, 6) };
      const row = { ...newDelivery, ...route, ...times, trace_id: at(values, 7) };
      if (await tx.insert('alert_deliveries', row, 'nothing')) made.push(row);
    }
    return made;
  }),
  statement('listDeliveriesOf', ['FROM alert_deliveries WHERE tenant_id = $1 AND alert_id = ANY'], (tx, values) => {
    const alertIds = new Set(listAt(values, 2));
    return tx
      .select('alert_deliveries', (row) => row['tenant_id'] === at(values, 1) && alertIds.has(String(row['alert_id'])))
      .toSorted(by('created_at', 'id'));
  }),
  statement('claimDelivery', ['UPDATE alert_deliveries SET attempts = attempts + 1', 'AND d.id = $2'], (tx, values) =>
    claim(tx, values, (row) => row['id'] === at(values, 2)),
  ),
  statement(
    'claimNext',
    ['UPDATE alert_deliveries SET attempts = attempts + 1', 'AND d.destination_id = $2'],
    (tx, values) => claim(tx, values, (row) => row['destination_id'] === at(values, 2)),
  ),
  statement('saveSettlement', ['UPDATE alert_deliveries SET state = $4'], (tx, values) => {
    const isOurs = (row: Row): boolean =>
      isTheRow(values)(row) && row['attempts'] === numberAt(values, 3) && row['state'] === 'PENDING';
    return tx.update('alert_deliveries', isOurs, (row) => ({
      state: textAt(values, 4),
      lease_until: null,
      status_code: at(values, 5),
      message: at(values, 6),
      next_attempt_at: at(values, 7) ?? row['next_attempt_at'],
      delivered_at: at(values, 4) === 'DELIVERED' ? at(values, 8) : row['delivered_at'],
    }));
  }),
  statement('insertAttempt', ['INSERT INTO alert_delivery_attempts'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const inserted = await tx.insert('alert_delivery_attempts', row, 'nothing');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('listDue', ['FROM alert_deliveries WHERE state', 'row_number() OVER'], (tx, values) => {
    const isDue = (row: Row): boolean =>
      row['state'] === 'PENDING' &&
      time(row['next_attempt_at']) <= time(at(values, 2)) &&
      isFree(row, dateAt(values, 1));
    const groups = Map.groupBy(
      tx.select('alert_deliveries', isDue),
      (row) => `${String(row['tenant_id'])}/${String(row['destination_id'])}`,
    );
    const placed = [...groups.values()].flatMap((rows) =>
      rows.toSorted(by('next_attempt_at', 'id')).map((row, index) => ({ ...row, place: index + 1 })),
    );
    return placed
      .filter(({ place }) => place <= numberAt(values, 3))
      .toSorted(by('place', 'next_attempt_at'))
      .slice(0, numberAt(values, 4))
      .map((row: Row) => ({ tenantId: row['tenant_id'], id: row['id'], attempts: row['attempts'] }));
  }),
];

export const alertRoomStatements = [
  ...windowStatements,
  ...alertStatements,
  ...destinationStatements,
  ...deliveryStatements,
];
