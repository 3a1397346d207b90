import type { Database } from '#platform/postgres';
import type { StoredGauge } from '#platform/metrics';

type Row = { tenant_id: string; state: string; value: string };

/** What operators watch: queues and their results, per tenant, from the rows that are the truth about them. */
export function storedGauges(database: Database): readonly StoredGauge[] {
  const gauge = (name: string, help: string, sql: string): StoredGauge => ({
    name,
    help,
    labels: ['tenant', 'state'],
    read: async () => {
      const rows = await database.withSystem('metrics count all tenants', (tx) => tx.query<Row>(sql));
      return rows.map((row) => ({ labels: { tenant: row.tenant_id, state: row.state }, value: Number(row.value) }));
    },
  });
  const counted = (table: string, column: string) =>
    `SELECT tenant_id, ${column} AS state, count(*) AS value FROM ${table} GROUP BY 1, 2`;
  return [
    gauge('margay_batches', 'Batches by state.', counted('batches', 'state')),
    gauge(
      'margay_backlog_bytes',
      'Bytes received and not processed yet.',
      `SELECT tenant_id, state, sum(bytes) AS value FROM batches WHERE state IN ('PENDING', 'ADMITTED') GROUP BY 1, 2`,
    ),
    gauge(
      'margay_events',
      'Events of finished batches.',
      `SELECT tenant_id, 'DONE' AS state, sum((counters->>'events')::bigint) AS value FROM batches WHERE state = 'DONE' GROUP BY 1`,
    ),
    gauge('margay_alerts', 'Alerts by status.', counted('alerts', 'status')),
    gauge('margay_alert_deliveries', 'Deliveries by state.', counted('alert_deliveries', 'state')),
    gauge('margay_lake_loads', 'Loads by state.', counted('lake_loads', 'state')),
    gauge(
      'margay_lake_waiting_rows',
      'Rows on their way to the lake.',
      `SELECT tenant_id, 'WAITING' AS state, sum(row_count) AS value FROM lake_chunks WHERE load_id IS NULL GROUP BY 1`,
    ),
  ];
}
