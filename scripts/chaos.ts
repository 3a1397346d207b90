/**
 * `npm run chaos -- --minutes N --seed S [--stores embedded|external] [--json]`: a throw-away deployment is fed by two
 * tenants while its processes are killed at random. Afterwards every acknowledged event must be in the lake once, every
 * alert must count right and must have been delivered. Exits 1 otherwise.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { publicUrl } from '../src/app/runtime.ts';
import { startDeployment } from '../src/app/supervisor.ts';
import { judge, total, type Verdict } from './chaos/check.ts';
import { openInspector, type Waiting } from './chaos/deployment.ts';
import { missingServices, startExternal, type TriedDeployment } from './chaos/external.ts';
import { startKiller } from './chaos/killer.ts';
import { createRandom } from './chaos/random.ts';
import { type Receiver, startReceiver } from './chaos/receiver.ts';
import { startTraffic } from './chaos/traffic.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    /** Events a second, of both tenants together. */
    rate: { type: 'string', default: '200' },
    stores: { type: 'string', default: 'embedded' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);

/** So long may the work that is left not become less before it counts as stuck. */
const patienceSeconds = 180;
const settings = { MARGAY_LOG_LEVEL: 'silent', MARGAY_OUTBOUND_ALLOW_CIDRS: '127.0.0.0/8' };

/** Everything on this machine as `npm start` brings it up, with several workers. */
async function startEmbedded(folder: string): Promise<TriedDeployment> {
  const environment = {
    ...settings,
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_WORKER_PROCESSES: values.workers,
  };
  const { runtime, stop } = await startDeployment({ environment, roles: 'all', say });
  return { runtime, ingestUrls: [publicUrl(runtime)], harms: [], spared: [], stop };
}

function start(folder: string): Promise<TriedDeployment> {
  if (values.stores === 'embedded') return startEmbedded(folder);
  if (values.stores !== 'external') throw new Error(`--stores: must be embedded or external, not "${values.stores}".`);
  const missing = missingServices();
  if (missing.length > 0) throw new Error(`External stores are not installed here. Run ${missing.join(', ')}.`);
  return startExternal(folder, settings, say);
}

type Outcome = {
  readonly verdict: Verdict;
  readonly kills: Readonly<Record<string, number>>;
  readonly recoverySeconds: number;
  readonly left: Waiting;
};

async function trial(deployment: TriedDeployment, receiver: Receiver): Promise<Outcome> {
  const inspector = await openInspector(deployment.runtime, receiver.url);
  try {
    const tenants = [await inspector.createTenant('one'), await inspector.createTenant('two')];
    const traffic = tenants.map((tenant, index) =>
      startTraffic({
        urls: deployment.ingestUrls.map((url) => `${url}${tenant.ingestPath}`),
        name: `t${index}`,
        random: createRandom(seed + 10 + index),
        eventsPerSecond: rate / tenants.length,
      }),
    );
    const { harms, spared } = deployment;
    const killer = startKiller({ random: createRandom(seed), pauseMs: { min: 2000, max: 8000 }, harms, spared, say });
    await sleep(minutes * 60_000);
    const kills = await killer.stop();
    say('No more kills; waiting until everything sent has arrived …');
    await Promise.all(traffic.map((one) => one.stop()));
    const { seconds, left } = await inspector.untilQuiet(patienceSeconds);
    const verdicts = await Promise.all(
      tenants.map(async (tenant, index) => {
        const ledger = traffic[index]?.ledger ?? { acknowledged: new Map(), unsure: new Map() };
        return judge(ledger, await inspector.find(tenant));
      }),
    );
    return { verdict: total(verdicts), kills, recoverySeconds: Math.round(seconds * 10) / 10, left };
  } finally {
    await inspector.close();
  }
}

/** Prints the figures and returns the exit code. */
function report({ verdict, kills, recoverySeconds, left }: Outcome, receiver: Receiver): number {
  const doubleKeys = [...receiver.keys.values()].filter((keys) => keys.size > 1).length;
  const undelivered = verdict.alertsFound - receiver.keys.size;
  const deliveries = receiver.count();
  const run = { seed, minutes, stores: values.stores };
  const figures = { ...run, ...verdict, deliveries, undelivered, doubleKeys, kills, left, recoverySeconds };
  say(JSON.stringify(figures, null, 2));
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  const { lost, duplicated, foreign, countErrors } = verdict;
  const wrong = [lost, duplicated, foreign, countErrors, undelivered, doubleKeys, left.failed];
  const isQuiet = left.batches + left.rows + left.deliveries === 0;
  return isQuiet && verdict.acknowledged > 0 && wrong.every((count) => count === 0) ? 0 : 1;
}

async function run(folder: string): Promise<number> {
  const receiver = await startReceiver({ random: createRandom(seed + 1), refusedShare: 0.1 });
  const deployment = await start(folder);
  try {
    return report(await trial(deployment, receiver), receiver);
  } finally {
    await deployment.stop();
    receiver.close();
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
