/**
 * `npm run demo [-- --json]`: a throw-away deployment is fed the bundled attack at 50 events a second for 20 seconds.
 * Prints the alerts and how long each step took; with --json the last line is one JSON object. Exits 1 when an alert
 * of the story is missing.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemActor } from '#access';
import type { Alert } from '#alerts';
import { attackSample } from '../src/app/first-start/attack-sample.ts';
import { prepareTenant } from '../src/app/first-start/first-start.ts';
import { byLogType, createSampleSender, type SampleSender } from '../src/app/first-start/sender.ts';
import { createServices, openPlatform, openSandbox } from '../src/app/parts.ts';
import { startDeployment } from '../src/app/supervisor.ts';

const eventsPerSecond = 50;
const seconds = 20;
const alertsWanted = 11;
const isJson = process.argv.includes('--json');
const say = (line: string): void => void (isJson ? process.stderr : process.stdout).write(`${line}\n`);

type Message = { readonly alertId: string };

async function startReceiver(
  received: Map<string, number>,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { alertId } = JSON.parse(body) as Message;
      if (!received.has(alertId)) received.set(alertId, Date.now());
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/` };
}

/** Stores that the environment names are used instead of embedded ones (`scripts/services/with-servers.ts`). */
function storesOfEnvironment(): Readonly<Record<string, string | undefined>> {
  const isStore = (name: string) => /^(?:DATABASE|REDIS|CLICKHOUSE|S3|MARGAY_S3)_/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isStore(name)));
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? null;
}

async function feed(sender: SampleSender): Promise<number> {
  const events = attackSample({
    now: new Date(Date.now() + seconds * 1000),
    seed: 7,
    eventCount: eventsPerSecond * seconds,
  });
  const startedAt = performance.now();
  const perTick = eventsPerSecond / 5;
  for (let sent = 0; sent < events.length; sent += perTick) {
    const dueMs = (sent / eventsPerSecond) * 1000 - (performance.now() - startedAt);
    if (dueMs > 0) await sleep(dueMs);
    await Promise.all(byLogType(events.slice(sent, sent + perTick)).map((group) => sender.send(group)));
  }
  return events.length;
}

async function run(folder: string): Promise<number> {
  const received = new Map<string, number>();
  const { server, url: receiverUrl } = await startReceiver(received);
  const environment = {
    ...storesOfEnvironment(),
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'error',
    MARGAY_OUTBOUND_ALLOW_CIDRS: '127.0.0.0/8',
  };
  const deployment = await startDeployment({ environment, roles: 'all', say });
  const platform = openPlatform(deployment.runtime);
  const sandbox = await openSandbox(deployment.runtime);
  try {
    const services = createServices(platform, deployment.runtime, sandbox);
    const first = await prepareTenant(services, 'demo');
    const actor = systemActor(first.tenantId, 'demo', randomBytes(16).toString('hex'));
    await services.destinations.createWebhook(actor, {
      name: 'receiver',
      url: receiverUrl,
      secret: randomBytes(16).toString('hex'),
      severities: ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'],
    });
    const list = async (): Promise<readonly Alert[]> =>
      (
        await services.alerts.list(actor, {
          createdAtAfter: new Date(0),
          createdAtBefore: new Date(Date.now() + 3_600_000),
          pageSize: 100,
        })
      ).alerts;
    say(`Feeding ${eventsPerSecond} events a second for ${seconds} seconds …`);
    const seen = new Map<string, number>();
    let isFed = false;
    const watching = watch(list, seen, received, () => isFed);
    const sender = await createSampleSender(deployment.runtime, first);
    const eventCount = await feed(sender);
    await sender.close();
    isFed = true;
    return report(await watching, seen, received, eventCount);
  } finally {
    await sandbox.pool.close();
    await platform.close();
    await deployment.stop();
    server.close();
  }
}

/** Looks at the alert list ten times a second, as a person's screen would, until all alerts are there and delivered. */
async function watch(
  list: () => Promise<readonly Alert[]>,
  seen: Map<string, number>,
  received: ReadonlyMap<string, number>,
  isFed: () => boolean,
): Promise<readonly Alert[]> {
  let deadline = Infinity;
  for (;;) {
    const alerts = await list();
    for (const { id } of alerts) if (!seen.has(id)) seen.set(id, Date.now());
    if (isFed() && deadline === Infinity) deadline = performance.now() + 60_000;
    const isDone = isFed() && alerts.length >= alertsWanted && alerts.every((alert) => received.has(alert.id));
    if (isDone || performance.now() > deadline) return alerts;
    await sleep(100);
  }
}

function report(
  alerts: readonly Alert[],
  seen: ReadonlyMap<string, number>,
  received: ReadonlyMap<string, number>,
  events: number,
): number {
  const rows = alerts.map((alert) => ({
    id: alert.id,
    title: alert.title,
    severity: alert.severity,
    detectionId: alert.origin.kind === 'detection' ? alert.origin.id : alert.origin.type,
    logType: alert.logTypes.join(','),
    receivedToAlertMs: (seen.get(alert.id) ?? Date.now()) - alert.firstReceivedAt.getTime(),
  }));
  const delivered = alerts.flatMap((alert) => {
    const at = received.get(alert.id);
    return at === undefined ? [] : [at - alert.firstReceivedAt.getTime()];
  });
  for (const row of rows) say(`  ${row.severity.padEnd(8)} ${row.logType.padEnd(15)} ${row.title}`);
  const latency = { p50: percentile(delivered, 0.5), p99: percentile(delivered, 0.99) };
  say(
    `${events} events, ${rows.length} alerts, ${delivered.length} delivered; received to delivered p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
  );
  if (isJson)
    process.stdout.write(
      `${JSON.stringify({ events, alerts: rows, deliveries: delivered.length, receivedToDeliveredMs: latency })}\n`,
    );
  return rows.length >= alertsWanted && delivered.length >= rows.length ? 0 : 1;
}

const folder = await mkdtemp(path.join(tmpdir(), 'margay-demo-'));
await chmod(folder, 0o755);
let code = 1;
try {
  code = await run(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(code);
