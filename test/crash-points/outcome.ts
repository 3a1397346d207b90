import type { Passage, TestDeployment } from './scenario.ts';
import type { ReceivedMessage } from '../support/webhook-receiver.ts';

type Counts = Readonly<Record<string, number>>;

/** Everything a passage led to, without what is different in every run: equal for all passages that went right. */
export type Outcome = {
  readonly batches: readonly unknown[];
  /** How often each event is in the lake. */
  readonly events: Counts;
  readonly lakeRows: Counts;
  readonly alerts: readonly string[];
  /** By title of an alert: idempotency keys its receiver has seen. */
  readonly keys: Counts;
  readonly deliveries: Counts;
  readonly systemErrors: readonly string[];
  readonly remembered: Counts;
  /** How often each rule matched and failed; how often it ran depends on samples that the index takes. */
  readonly ruleCounts: readonly unknown[];
  readonly upload: unknown;
  readonly query: unknown;
  readonly waiting: Counts;
};

type Tables = readonly { readonly database_name: string; readonly table_name: string; readonly family: string }[];

const countsOf = (rows: readonly { readonly name: string; readonly n: number }[]): Counts =>
  Object.fromEntries(rows.map(({ name, n }) => [name, n]).toSorted());

async function readLake({ platform }: TestDeployment, tables: Tables): Promise<Pick<Outcome, 'events' | 'lakeRows'>> {
  const lakeRows: Record<string, number> = {};
  let events: Counts = {};
  for (const { database_name, table_name, family } of tables) {
    const place = `\`${database_name}\`.\`${table_name}\``;
    const named = family === 'logs' ? 'id' : family === 'classification_failures' ? 'p_reason' : 'p_rule_id';
    const rows = await platform.lakeClient.rows<{ name: string; n: number }>(
      `SELECT toString(${named}) AS name, toUInt32(count()) AS n FROM ${place} GROUP BY name`,
    );
    if (family === 'logs') events = countsOf(rows);
    else for (const { name, n } of rows) lakeRows[`${family} ${name}`] = n;
  }
  return { events, lakeRows: Object.fromEntries(Object.entries(lakeRows).toSorted()) };
}

const stateSql = `SELECT
  (SELECT json_agg(json_build_array(state, counters) ORDER BY received_at) FROM batches WHERE tenant_id = $1) AS batches,
  (SELECT json_agg(type || ' ' || subject_name || ' ' || occurrences ORDER BY type, subject_name)
     FROM system_errors WHERE tenant_id = $1) AS errors,
  (SELECT json_object_agg(key, count ORDER BY key) FROM detection_cache WHERE tenant_id = $1) AS remembered,
  (SELECT json_agg(json_build_array(detection_id, matches, errors) ORDER BY detection_id) FROM (
     SELECT detection_id, sum(matches)::int AS matches, sum(errors)::int AS errors
     FROM detection_statistics WHERE tenant_id = $1 GROUP BY detection_id) AS counted) AS "ruleCounts",
  (SELECT json_object_agg(state, n ORDER BY state) FROM (
     SELECT state, count(*)::int AS n FROM alert_deliveries WHERE tenant_id = $1 GROUP BY state) AS sent) AS deliveries,
  (SELECT json_agg(title || ', ' || type || ', ' || severity || ', counts ' || event_count || coalesce(', ' || dedup, '')
     ORDER BY title) FROM alerts WHERE tenant_id = $1 AND type <> 'SYSTEM_ERROR') AS alerts,
  (SELECT count(*)::int FROM alerts WHERE tenant_id = $1 AND type = 'SYSTEM_ERROR') AS "systemAlerts",
  (SELECT count(*)::int FROM outbox_jobs WHERE tenant_id = $1) AS outbox,
  (SELECT count(*)::int FROM lake_chunks c LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id
     WHERE c.tenant_id = $1 AND l.state IS DISTINCT FROM 'LOADED') AS unloaded,
  (SELECT json_build_array(status, error, result) FROM content_uploads WHERE tenant_id = $1) AS upload,
  (SELECT json_build_array(state, message, row_count) FROM lake_queries WHERE tenant_id = $1) AS query`;

type State = Omit<Outcome, 'events' | 'lakeRows' | 'keys' | 'waiting' | 'systemErrors'> & {
  readonly errors: readonly string[];
  readonly systemAlerts: number;
  readonly outbox: number;
  readonly unloaded: number;
};

function keysByTitle(messages: readonly ReceivedMessage[], alertIds: ReadonlySet<string>): Counts {
  const keys = new Map<string, Set<unknown>>();
  for (const { headers, body } of messages) {
    const { alertId, title } = JSON.parse(body) as { readonly alertId: string; readonly title: string };
    if (!alertIds.has(alertId)) continue;
    keys.set(title, (keys.get(title) ?? new Set()).add(headers['idempotency-key']));
  }
  return Object.fromEntries([...keys].map(([title, seen]) => [title, seen.size] as const).toSorted());
}

/** Reads what there is of a passage now. */
export async function readOutcome(
  deployment: TestDeployment,
  { tenantId }: Passage,
  messages: readonly ReceivedMessage[],
): Promise<Outcome> {
  const { database } = deployment.platform;
  const read = await database.withTenant(tenantId, async (tx) => ({
    state: (await tx.query<State>(stateSql, [tenantId]))[0],
    tables: await tx.query<Tables[number]>('SELECT database_name, table_name, family FROM lake_tables'),
    alerts: await tx.query<{ id: string }>('SELECT id FROM alerts'),
  }));
  if (read.state === undefined) throw new Error('The database has no answer.');
  const { errors, systemAlerts, outbox, unloaded, ...state } = read.state;
  return {
    ...state,
    ...(await readLake(deployment, read.tables)),
    systemErrors: [...(errors ?? []), `${systemAlerts} alerts`],
    keys: keysByTitle(messages, new Set(read.alerts.map(({ id }) => id))),
    waiting: { outbox, unloaded },
  };
}
