import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, systemActor } from '#access';
import type { Alert } from '#alerts';
import { isTransient } from '#platform/errors';
import { createServices, openPlatform, openSandbox, type Platform } from '../../src/app/parts.ts';
import type { Runtime } from '../../src/app/runtime.ts';
import type { Found } from './check.ts';

const logType = 'Custom.Chaos';
const schema = `schema: ${logType}
fields:
  - { name: id, type: string, required: true }
  - { name: group, type: string, required: true }
  - { name: hit, type: boolean }
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
`;
const rule = {
  specification: `AnalysisType: rule\nRuleID: Chaos.Hit\nEnabled: true\nFilename: x.py\nLogTypes: [${logType}]\nSeverity: Low\nDedupPeriodMinutes: 1440\n`,
  body: "def rule(event):\n    return event['hit']\n\ndef dedup(event):\n    return event['group']\n\ndef title(event):\n    return event['group']\n",
};

export type ChaosTenant = {
  readonly id: string;
  readonly actor: Actor;
  /** Path of its log source, to be put behind the address of a process that takes logs in. */
  readonly ingestPath: string;
};

type Services = ReturnType<typeof createServices>;

/** A busy machine may not start an interpreter in time. */
async function patiently<T>(work: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || attempt === attempts) throw error;
    }
  }
}

async function createSource(services: Services, actor: Actor, label: string): Promise<string> {
  const { id } = await services.sources.create(actor, {
    integrationLabel: label,
    logTypes: [logType],
    logStreamType: 'Lines',
    authMethod: 'None',
  });
  return `/http/${id}`;
}

/** Our own way into the stores of the deployment, beside its processes. */
export async function openInspector(runtime: Runtime, receiverUrl: string) {
  const platform = openPlatform(runtime);
  const sandbox = await openSandbox(runtime);
  const services = createServices(platform, runtime, sandbox);
  return {
    async createTenant(slug: string): Promise<ChaosTenant> {
      const traceId = randomBytes(16).toString('hex');
      const { id } = await services.tenants.create({ slug, name: slug }, traceId);
      const actor = systemActor(id, 'chaos', traceId);
      await services.schemas.save(actor, { name: logType, spec: schema });
      await patiently(() => services.detections.save(actor, rule));
      await services.destinations.createWebhook(actor, { name: 'receiver', url: receiverUrl, severities: ['LOW'] });
      return { id, actor, ingestPath: await createSource(services, actor, 'chaos') };
    },
    /** One more source of the tenant. Returns its path. */
    createSource: (tenant: ChaosTenant, label: string) => createSource(services, tenant.actor, label),
    /** Events of all batches that are done. */
    eventsDone: () => readEventsDone(platform),
    /** What is on its way now. */
    waiting: () => readWaiting(platform),
    untilQuiet: (patienceSeconds: number) => untilQuiet(platform, patienceSeconds),
    find: (tenant: ChaosTenant) => find(platform, services, tenant),
    steps: () => readSteps(platform),
    async close() {
      await sandbox.pool.close();
      await platform.close();
    },
  };
}

export type Waiting = {
  readonly batches: number;
  readonly failed: number;
  readonly rows: number;
  readonly deliveries: number;
  /**
   * Those of them that were refused and are tried again within four minutes, the pause after a fourth refusal. Pauses
   * double, so one that is refused without end counts as stuck all the same.
   */
  readonly pausing: number;
};

async function readWaiting({ database }: Platform): Promise<Waiting> {
  const rows = await database.withSystem('chaos waits until everything is done', (tx) =>
    tx.query<Waiting>(
      `SELECT (SELECT count(*)::int FROM batches WHERE state IN ('PENDING', 'ADMITTED')) AS batches,
        (SELECT count(*)::int FROM batches WHERE state = 'FAILED') AS failed,
        (SELECT count(*)::int FROM lake_chunks c LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id
          WHERE l.state IS DISTINCT FROM 'LOADED') AS rows,
        (SELECT count(*)::int FROM alert_deliveries WHERE state NOT IN ('DELIVERED', 'FAILED')) AS deliveries,
        (SELECT count(*)::int FROM alert_deliveries WHERE state = 'PENDING' AND next_attempt_at BETWEEN now() AND now() + interval '4 minutes') AS pausing`,
    ),
  );
  return rows[0] ?? { batches: -1, failed: -1, rows: -1, deliveries: -1, pausing: 0 };
}

async function readEventsDone({ database }: Platform): Promise<number> {
  const rows = await database.withSystem('a benchmark counts what is done', (tx) =>
    tx.query<{ events: number }>(
      `SELECT coalesce(sum((counters->>'events')::bigint), 0)::float8 AS events FROM batches WHERE state = 'DONE'`,
    ),
  );
  return rows[0]?.events ?? 0;
}

/** When the single event behind an alert came how far, in milliseconds since 1970. */
export type Steps = {
  readonly group: string;
  readonly received: number;
  readonly stored: number;
  readonly planned: number;
  readonly alerted: number;
  readonly dispatched: number;
};

/** Steps of every alert whose delivery was attempted, as the product's own rows name them. */
async function readSteps({ database }: Platform): Promise<readonly Steps[]> {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  return database.withSystem('a benchmark asks where time went', (tx) =>
    tx.query<Steps>(
      `SELECT a.title AS "group", ${ms('b.received_at')} AS received, ${ms('b.stored_at')} AS stored,
         ${ms("(b.manifest->>'evaluatedAt')::timestamptz")} AS planned, ${ms('a.created_at')} AS alerted,
         ${ms('t.dispatched_at')} AS dispatched
       FROM alerts a JOIN batches b ON b.tenant_id = a.tenant_id AND b.trace_id = a.trace_id
       JOIN alert_deliveries d ON d.tenant_id = a.tenant_id AND d.alert_id = a.id
       JOIN alert_delivery_attempts t ON t.tenant_id = d.tenant_id AND t.delivery_id = d.id AND t.attempt = 1`,
    ),
  );
}

/** Less is waiting: traffic has ended, so batches only become fewer, then rows, then deliveries. */
const isLess = (left: Waiting, least: Waiting): boolean =>
  left.batches < least.batches ||
  (left.batches === least.batches &&
    (left.rows < least.rows || (left.rows === least.rows && left.deliveries < least.deliveries)));

const onlyPauses = ({ batches, rows, deliveries, pausing }: Waiting): boolean =>
  pausing > 0 && batches + rows === 0 && deliveries === pausing;

/**
 * Waits until nothing is left to do; gives up when nothing became less for so many seconds, so that what a busy machine
 * does late is not taken for lost.
 */
async function untilQuiet(
  platform: Platform,
  patienceSeconds: number,
): Promise<{ readonly seconds: number; readonly left: Waiting }> {
  const startedAt = performance.now();
  let progressAt = startedAt;
  let least: Waiting | undefined;
  for (;;) {
    const now = performance.now();
    const left = await readWaiting(platform).catch(() => undefined);
    if (left !== undefined && (least === undefined || isLess(left, least) || onlyPauses(left))) {
      least = left;
      progressAt = now;
    }
    const isQuiet = left !== undefined && left.batches + left.rows + left.deliveries === 0;
    const idleSeconds = (now - progressAt) / 1000;
    if (left !== undefined && (isQuiet || idleSeconds > patienceSeconds))
      return { seconds: (now - startedAt) / 1000, left };
    if (idleSeconds > patienceSeconds + 60) throw new Error('The database does not come back.');
    await sleep(500);
  }
}

async function listAlerts(services: Services, { actor }: ChaosTenant): Promise<readonly Alert[]> {
  const found: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.alerts.list(actor, {
      createdAtAfter: new Date(0),
      createdAtBefore: new Date(Date.now() + 3_600_000),
      pageSize: 50,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.alerts);
    cursor = page.endCursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

async function find(platform: Platform, services: Services, tenant: ChaosTenant): Promise<Found> {
  const tables = await platform.database.withTenant(tenant.id, (tx) =>
    tx.query<{ database_name: string; table_name: string }>(
      "SELECT database_name, table_name FROM lake_tables WHERE family = 'logs' AND log_type = $1",
      [logType],
    ),
  );
  const table = tables[0];
  const events = new Map<string, number>();
  if (table !== undefined) {
    const rows = await platform.lakeClient.rows<{ id: string; n: number }>(
      `SELECT id, toUInt32(count()) AS n FROM \`${table.database_name}\`.\`${table.table_name}\` GROUP BY id`,
      {},
      { rowsMax: 10_000_000, timeoutSeconds: 120 },
    );
    for (const { id, n } of rows) events.set(id, n);
  }
  const alerts = await listAlerts(services, tenant);
  return { events, alerts: alerts.map(({ title, eventCount }) => ({ group: title, eventCount })) };
}
