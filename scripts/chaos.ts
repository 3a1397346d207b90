/**
 * `npm run chaos -- --minutes N --seed S [--json]`: a throw-away deployment is fed by two tenants while its processes
 * are killed at random. Afterwards every acknowledged event must be in the lake once, every alert must count right and
 * every alert must have been delivered. Exits 1 otherwise.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDeployment } from '../src/app/supervisor.ts';
import { judge, total } from './chaos/check.ts';
import { openInspector } from './chaos/deployment.ts';
import { startKiller } from './chaos/killer.ts';
import { createRandom } from './chaos/random.ts';
import { startTraffic } from './chaos/traffic.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);

type Delivered = ReadonlyMap<string, ReadonlySet<string>>;

/** Takes every delivery; one in ten is refused, so that repetitions are part of the run. Keys by alert. */
async function startReceiver(
  random: () => number,
): Promise<{ readonly server: Server; readonly url: string; readonly keys: Delivered; count(): number }> {
  const keys = new Map<string, Set<string>>();
  let count = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (random() < 0.1) return void response.writeHead(503).end();
      const { alertId } = JSON.parse(body) as { alertId: string };
      count += 1;
      keys.set(alertId, (keys.get(alertId) ?? new Set()).add(String(request.headers['idempotency-key'])));
      return void response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, url: `http://127.0.0.1:${port}/`, keys, count: () => count };
}

async function run(folder: string): Promise<number> {
  const random = createRandom(seed);
  const receiver = await startReceiver(createRandom(seed + 1));
  const environment = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'silent',
    MARGAY_OUTBOUND_ALLOW_CIDRS: '127.0.0.0/8',
  };
  const deployment = await startDeployment({ environment, roles: 'all', say });
  const inspector = await openInspector(deployment.runtime, receiver.url);
  try {
    const tenants = [await inspector.createTenant('one'), await inspector.createTenant('two')];
    const traffic = tenants.map((tenant, index) =>
      startTraffic({
        url: tenant.ingestUrl,
        name: `t${index}`,
        random: createRandom(seed + 10 + index),
        eventsPerSecond: rate / tenants.length,
      }),
    );
    const killer = startKiller({ random, pauseMs: { min: 2000, max: 8000 }, say });
    await sleep(minutes * 60_000);
    const kills = await killer.stop();
    say('No more kills; waiting until everything sent has arrived …');
    await Promise.all(traffic.map((one) => one.stop()));
    const { seconds, left } = await inspector.untilQuiet(240);
    const verdicts = [];
    for (const [index, tenant] of tenants.entries()) {
      const ledger = traffic[index]?.ledger;
      if (ledger !== undefined) verdicts.push(judge(ledger, await inspector.find(tenant)));
    }
    const sum = total(verdicts);
    const doubleKeys = [...receiver.keys.values()].filter((keys) => keys.size > 1).length;
    const undelivered = sum.alertsFound - receiver.keys.size;
    const report = {
      seed,
      minutes,
      ...sum,
      deliveries: receiver.count(),
      undelivered,
      doubleKeys,
      kills,
      left,
      recoverySeconds: Math.round(seconds * 10) / 10,
    };
    say(JSON.stringify(report, null, 2));
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    const wrong = [sum.lost, sum.duplicated, sum.foreign, sum.countErrors, undelivered, doubleKeys, left.failed];
    const isQuiet = left.batches + left.rows + left.deliveries === 0;
    return isQuiet && sum.acknowledged > 0 && wrong.every((count) => count === 0) ? 0 : 1;
  } finally {
    await inspector.close();
    await deployment.stop();
    receiver.server.close();
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'margay-chaos-'));
await chmod(folder, 0o755);
let code = 1;
try {
  code = await run(folder);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(code);
