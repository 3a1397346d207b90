import type { BatchManifest } from '#ingestion';
import type { SentRequest } from './actors.ts';
import { type Expectation, expectationOf, type Hit, hitRowId } from './expectations.ts';
import { keyOf } from './memory.ts';
import type { LakeRow } from './model/lake-client.ts';
import type { Row } from './model/transaction.ts';
import type { World } from './world.ts';

/** What must be true when faults have stopped and time has passed. Each answer names a broken promise. */
export function findProblems(
  world: World,
  requests: readonly SentRequest[],
  firstPlans: ReadonlyMap<string, BatchManifest>,
): readonly string[] {
  const stuck = whatIsStuck(world);
  if (stuck.length > 0) return stuck;
  const batches = world.tables.list('batches');
  const expectations = batches.map((batch) =>
    expectationOf(world, batch, firstPlans.get(`${String(batch['tenant_id'])}/${String(batch['id'])}`)),
  );
  const alerts = expectedAlerts(world, expectations);
  return [
    ...expectations.flatMap(({ problems }) => problems),
    ...world.tenants.flatMap(({ id }) =>
      lakeProblems(
        world,
        id,
        expectations.filter(({ tenantId }) => tenantId === id),
      ),
    ),
    ...requestProblems(world, requests),
    ...alertProblems(world, alerts),
    ...statisticsProblems(world, expectations),
    ...memoryProblems(
      world,
      expectations.flatMap(({ hits }) => hits),
    ),
    ...deliveryProblems(world),
    ...(world.faults.isCalm ? calmProblems(world, requests) : []),
    ...(world.tables.deadlocks > 0 ? [`${world.tables.deadlocks} deadlocks`] : []),
  ];
}

/** Work that is not over. */
export function whatIsStuck({ tables, queues }: World): readonly string[] {
  const isLoaded = new Set(
    tables
      .list('lake_loads')
      .filter((load) => load['state'] === 'LOADED')
      .map((load) => load['id']),
  );
  const tell = (what: string, rows: readonly Row[]) =>
    rows.map((row) => `${what} ${String(row['id'])} is ${String(row['state'])}`);
  return [
    ...tell(
      'batch',
      tables.list('batches').filter((row) => row['state'] !== 'DONE'),
    ),
    ...tables
      .list('lake_chunks')
      .flatMap((row) => (isLoaded.has(row['load_id']) ? [] : [`chunk ${String(row['id'])} is not loaded`])),
    ...tell(
      'delivery',
      tables.list('alert_deliveries').filter((row) => row['state'] !== 'DELIVERED'),
    ),
    ...tell('outbox job', tables.list('outbox_jobs')),
    ...(queues.waiting > 0 ? [`${queues.waiting} jobs wait`] : []),
  ];
}

type LakeLine = { readonly text: string; readonly row: LakeRow };

/** What a tenant would see in its table. */
function linesOf(world: World, tenantId: string, family: string, logType = ''): readonly LakeLine[] {
  const table = world.tables
    .list('lake_tables')
    .find((row) => row['tenant_id'] === tenantId && row['family'] === family && row['log_type'] === logType);
  if (table === undefined) return [];
  const lines = world.lake.rowsOf(`\`${String(table['database_name'])}\`.\`${String(table['table_name'])}\``);
  if (table['layout'] === 'dedicated') return lines;
  const mark = `{"p_tenant_id":"${tenantId}",`;
  return lines
    .filter(({ text }) => text.startsWith(mark))
    .map(({ text, row }) => ({ text: `{${text.slice(mark.length)}`, row }));
}

function difference(what: string, found: readonly string[], wanted: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of found) counts.set(text, (counts.get(text) ?? 0) + 1);
  for (const text of wanted) counts.set(text, (counts.get(text) ?? 0) - 1);
  return [...counts].flatMap(([text, count]) =>
    count === 0 ? [] : [`${what}: ${count > 0 ? `${count} too many` : `${-count} missing`}: ${text}`],
  );
}

const isRefused = (line: string): boolean => (JSON.parse(line) as LakeRow)['refused'] === true;
const rowIdOf = ({ row }: LakeLine): string => String(row['p_row_id']);

function lakeProblems(world: World, tenantId: string, expectations: readonly Expectation[]): string[] {
  const logTypes = new Set(
    world.tables.list('lake_tables').flatMap((row) => (row['family'] === 'logs' ? [String(row['log_type'])] : [])),
  );
  for (const { logs } of expectations) for (const logType of logs.keys()) logTypes.add(logType);
  const hits = expectations.flatMap((expectation) => expectation.hits);
  const matches = hits.filter(({ type }) => type === 'RULE');
  const refused = expectations.flatMap(({ logs }) => [...logs.values()].flat().filter(isRefused));
  const failures = expectations.flatMap((expectation) => expectation.failures);
  const refusedIds = refused.map((line) => String((JSON.parse(line) as LakeRow)['p_row_id']));
  const compare = (family: string, wanted: readonly string[]) =>
    difference(`${family} of ${tenantId}`, linesOf(world, tenantId, family).map(rowIdOf), wanted);
  return [
    ...[...logTypes].flatMap((logType) =>
      difference(
        `events of ${tenantId}`,
        linesOf(world, tenantId, 'logs', logType).map(({ text }) => text),
        expectations.flatMap(({ logs }) => (logs.get(logType) ?? []).filter((line) => !isRefused(line))),
      ),
    ),
    ...compare('classification_failures', [...failures, ...refusedIds]),
    ...compare('signals', matches.map(hitRowId)),
    ...compare('rule_matches', matches.filter(({ createsAlert }) => createsAlert).map(hitRowId)),
    ...compare('rule_errors', hits.filter(({ type }) => type === 'RULE_ERROR').map(hitRowId)),
  ];
}

/** Where an event is: read into its table or refused by it, or listed among those that fit no schema. */
type Place = { readonly tenantId: string; readonly isRead: boolean };

function placesOfEvents(world: World): ReadonlyMap<string, readonly Place[]> {
  const seen = new Map<string, Place[]>();
  for (const { id: tenantId } of world.tenants) {
    const tables = world.tables.list('lake_tables').filter((row) => row['tenant_id'] === tenantId);
    for (const table of tables) {
      const family = String(table['family']);
      if (family !== 'logs' && family !== 'classification_failures') continue;
      for (const { row } of linesOf(world, tenantId, family, String(table['log_type']))) {
        const payload = row['p_payload'];
        const id = String(typeof payload === 'string' ? (JSON.parse(payload) as LakeRow)['id'] : row['id']);
        const isRead = family === 'logs' || String(row['p_reason']).startsWith('The lake refused');
        seen.set(id, [...(seen.get(id) ?? []), { tenantId, isRead }]);
      }
    }
  }
  return seen;
}

/**
 * Acknowledged: there once. Not acknowledged: there once or not at all. Nobody else's, ever. One that fitted no schema
 * stays listed when a replay has read it.
 */
function requestProblems(world: World, requests: readonly SentRequest[]): string[] {
  const seen = placesOfEvents(world);
  const hasReplays = world.tables.list('batches').some((row) => row['replay_of'] !== null);
  return requests.flatMap(({ eventIds, tenantId, isAcknowledged }) =>
    eventIds.flatMap((id) => {
      const places = seen.get(id) ?? [];
      if (places.some((place) => place.tenantId !== tenantId)) return [`event ${id} is seen by another tenant`];
      const read = places.filter(({ isRead }) => isRead).length;
      if (read > 1 || places.length - read > 1 || (places.length > 1 && !hasReplays))
        return [`event ${id} is there ${places.length} times`];
      return isAcknowledged && places.length === 0 ? [`event ${id} was acknowledged and is lost`] : [];
    }),
  );
}

type OpenWindow = {
  readonly openedAtMs: number;
  readonly closesAtMs: number;
  count: number;
  alert: ExpectedAlert | undefined;
  readonly first: Hit;
};
type ExpectedAlert = {
  readonly tenantId: string;
  readonly ruleId: string;
  readonly type: string;
  readonly dedup: string;
  readonly title: string;
  readonly severity: string;
  readonly openedAtMs: number;
  count: number;
};

/** Windows worked out anew, from what was committed in the order of its commits. */
function expectedAlerts(world: World, expectations: readonly Expectation[]): readonly ExpectedAlert[] {
  const byBatch = new Map(expectations.map((one) => [`${one.tenantId}/${one.batchId}`, one]));
  const windows = new Map<string, OpenWindow>();
  const alerts: ExpectedAlert[] = [];
  for (const key of world.evaluated) {
    const { hits = [], evaluatedAtMs = 0 } = byBatch.get(key) ?? {};
    const groups = Map.groupBy(
      hits.filter(({ createsAlert }) => createsAlert),
      ({ tenantId, ruleId, type, dedup }) => [tenantId, type, ruleId, dedup].join('/'),
    );
    for (const [name, group] of groups) count(windows, alerts, name, group, evaluatedAtMs);
  }
  return alerts;
}

function count(
  windows: Map<string, OpenWindow>,
  alerts: ExpectedAlert[],
  name: string,
  group: readonly Hit[],
  nowMs: number,
): void {
  const [first] = group;
  if (first === undefined) return;
  const known = windows.get(name);
  const window: OpenWindow =
    known !== undefined && nowMs < known.closesAtMs
      ? known
      : { openedAtMs: nowMs, closesAtMs: nowMs + first.periodMs, count: 0, alert: undefined, first };
  windows.set(name, window);
  window.count += group.length;
  if (window.alert === undefined && window.count >= first.threshold) {
    const { tenantId, ruleId, type, dedup, title, severity } = window.first;
    window.alert = { tenantId, ruleId, type, dedup, title, severity, openedAtMs: window.openedAtMs, count: 0 };
    alerts.push(window.alert);
  }
  if (window.alert !== undefined) window.alert.count = window.count;
}

function alertProblems(world: World, expected: readonly ExpectedAlert[]): string[] {
  const tell = (parts: readonly unknown[]): string => parts.map(String).join(' | ');
  const stored = world.tables.list('alerts');
  const counted = stored.flatMap((row) => {
    const tenantId = String(row['tenant_id']);
    const family = row['type'] === 'RULE' ? 'rule_matches' : 'rule_errors';
    const lines = linesOf(world, tenantId, family).filter((line) => line.row['p_alert_id'] === row['id']);
    return lines.length === Number(row['event_count'])
      ? []
      : [`alert ${String(row['id'])} counts ${String(row['event_count'])} events and has ${lines.length}`];
  });
  const windowOf = new Map(world.tables.list('alert_windows').map((row) => [row['alert_id'], row]));
  const times = stored.flatMap((row) => {
    const openedAt = windowOf.get(row['id'])?.['opened_at'];
    const isExpected =
      openedAt === undefined || expected.some(({ openedAtMs }) => openedAtMs === (openedAt as Date).getTime());
    return isExpected ? [] : [`the window of alert ${String(row['id'])} opened at a time of its own`];
  });
  return [
    ...difference(
      'alerts',
      stored.map((row) =>
        tell([
          row['tenant_id'],
          row['type'],
          row['detection_id'],
          row['dedup'],
          row['title'],
          row['severity'],
          row['event_count'],
        ]),
      ),
      expected.map((alert) =>
        tell([alert.tenantId, alert.type, alert.ruleId, alert.dedup, alert.title, alert.severity, alert.count]),
      ),
    ),
    ...counted,
    ...times,
  ];
}

/** Counts of what rules did are effects too: each batch counts once. */
function statisticsProblems(world: World, expectations: readonly Expectation[]): string[] {
  const hits = expectations.flatMap((expectation) => expectation.hits);
  const counted = world.tables.list('detection_statistics');
  const sum = (isMine: (row: Row) => boolean, name: string): number =>
    counted.filter(isMine).reduce((total, row) => total + Number(row[name]), 0);
  return world.tenants.flatMap(({ id }) =>
    [...new Set(hits.map(({ ruleId }) => ruleId))].flatMap((ruleId) => {
      const isMine = (row: Row): boolean => row['tenant_id'] === id && row['detection_id'] === ruleId;
      const mine = hits.filter((hit) => hit.tenantId === id && hit.ruleId === ruleId);
      const matches = mine.filter(({ type }) => type === 'RULE').length;
      const found = [sum(isMine, 'matches'), sum(isMine, 'errors')];
      const wanted = [matches, mine.length - matches];
      return String(found) === String(wanted)
        ? []
        : [`statistics of ${ruleId} are ${String(found)} instead of ${String(wanted)}`];
    }),
  );
}

/** What rules remember is an effect too: each hit counts once. */
function memoryProblems({ tables }: World, hits: readonly Hit[]): string[] {
  const wanted = new Map<string, number>();
  for (const { tenantId, dedup, remembers } of hits) {
    const name = `${tenantId} ${keyOf(dedup)}`;
    if (remembers) wanted.set(name, (wanted.get(name) ?? 0) + 1);
  }
  const found = new Map(
    tables
      .list('detection_cache')
      .map((row) => [`${String(row['tenant_id'])} ${String(row['key'])}`, Number(row['count'])]),
  );
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((name) =>
    (found.get(name) ?? 0) === (wanted.get(name) ?? 0)
      ? []
      : [`${name} remembers ${found.get(name) ?? 0} instead of ${wanted.get(name) ?? 0} hits`],
  );
}

function deliveryProblems(world: World): string[] {
  const problems: string[] = [];
  const pairs = Map.groupBy(world.received, ({ url, alertId }) => `${url} ${alertId}`);
  const pairOfKey = new Map<string, string>();
  for (const [pair, messages] of pairs) {
    const keys = new Set(messages.map(({ key }) => key));
    if (keys.size > 1) problems.push(`${pair} came with ${keys.size} keys`);
    for (const key of keys) {
      if (pairOfKey.has(key)) problems.push(`${pair} came with the key of ${pairOfKey.get(key)}`);
      pairOfKey.set(key, pair);
    }
  }
  const wanted = world.tables.list('alerts').flatMap((alert) => {
    const tenant = world.tenants.find(({ id }) => id === alert['tenant_id']);
    return (tenant?.destinations ?? [])
      .filter(({ severities }) => severities.includes(String(alert['severity'])))
      .map(({ url }) => `${url} ${String(alert['id'])}`);
  });
  return [...problems, ...difference('deliveries', [...pairs.keys()], wanted)];
}

/** Without any fault, nothing is done twice. */
function calmProblems(world: World, requests: readonly SentRequest[]): string[] {
  const keys = world.received.map(({ key }) => key);
  return [
    ...(new Set(keys).size === keys.length ? [] : ['a message was sent twice although nothing failed']),
    ...requests
      .filter(({ isAcknowledged }) => !isAcknowledged)
      .map(({ eventIds }) => `${eventIds.join(', ')} were refused`),
    ...world.tables
      .list('batches')
      .filter((row) => row['admissions'] !== 1)
      .map((row) => `batch ${String(row['id'])} was begun ${String(row['admissions'])} times although nothing failed`),
  ];
}
