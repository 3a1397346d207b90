import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createRandom } from '../chaos/random.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { type MeasuredDeployment, withDeployment } from './support/deployment.ts';
import { type Latencies, latenciesOf, type Probe, probe, stepsOf } from './support/probes.ts';

const run = promisify(execFile);

/**
 * One tenant sends a mountain, another a single event now and then; so does a quiet source of the loud tenant. Measured
 * is the time from sending the single event to the arrival of its alert at the receiver, with the system idle (the
 * baseline) and with the mountain waiting.
 */

const mountainFile = path.join(import.meta.dirname, 'support/mountain.ts');

/** Sends the mountain from another process. Returns how many events of it were acknowledged. */
async function sendMountain(url: string, events: number, batches: number): Promise<number> {
  const { stdout } = await run(process.execPath, [mountainFile, url, String(events), String(batches)]);
  return (JSON.parse(stdout) as { readonly acknowledged: number }).acknowledged;
}

type Loaded = { readonly tenant: readonly Probe[]; readonly source: readonly Probe[]; readonly missed: number };

/** Sends probes of both kinds while the mountain waits. */
async function probeUnderLoad(
  { inspector, url }: MeasuredDeployment,
  paths: { readonly stranger: string; readonly sibling: string },
  probes: number,
): Promise<Loaded> {
  const random = createRandom(11);
  const tenant: Probe[] = [];
  const source: Probe[] = [];
  let missed = 0;
  for (let index = 0; index < probes; index += 1) {
    await sleep(200 + 800 * random());
    if ((await inspector.waiting()).batches < 3) {
      missed += probes - index;
      break;
    }
    tenant.push(await probe(`${url}${paths.stranger}`, `loaded-tenant-${index}`));
    await sleep(200 + 300 * random());
    source.push(await probe(`${url}${paths.sibling}`, `loaded-source-${index}`));
  }
  return { tenant, source, missed };
}

async function measure(
  deployment: MeasuredDeployment,
  { events, batches, probes }: Readonly<Record<'events' | 'batches' | 'probes', number>>,
  say: (line: string) => void,
) {
  const { inspector, receiver, url } = deployment;
  const loud = await inspector.createTenant('loud');
  const quiet = await inspector.createTenant('quiet');
  const sibling = await inspector.createSource(loud, 'quiet');
  const random = createRandom(5);
  say('Single events into an idle system …');
  const idle: Probe[] = [];
  // The first ones start interpreters and make tables; they are not counted.
  for (let index = -2; index < probes; index += 1) {
    const path = index === -1 ? sibling : quiet.ingestPath;
    const sent = await probe(`${url}${path}`, `idle-${index}`);
    if (index < 0) await latenciesOf([sent], receiver);
    else idle.push(sent);
    await sleep(200 + 1000 * random());
  }
  const idleLatencies = await latenciesOf(idle, receiver);
  say('The same while the mountain waits …');
  const startedAt = performance.now();
  const mountain = sendMountain(`${url}${loud.ingestPath}`, events, batches);
  while ((await inspector.waiting()).batches < Math.min(8, batches / 2)) await sleep(50);
  const loaded = await probeUnderLoad(deployment, { stranger: quiet.ingestPath, sibling }, probes);
  const [ofTenant, ofSource] = [await latenciesOf(loaded.tenant, receiver), await latenciesOf(loaded.source, receiver)];
  const acknowledged = await mountain;
  const { left } = await inspector.untilQuiet(180);
  const seconds = (performance.now() - startedAt) / 1000;
  const found = await inspector.find(loud);
  const lost = acknowledged + loaded.source.length + 1 - found.events.size;
  const duplicated = [...found.events.values()].filter((count) => count > 1).length;
  const steps = await inspector.steps();
  const stepsMs = Object.fromEntries(
    Object.entries({ idle, loadedTenant: loaded.tenant, loadedSource: loaded.source }).map(([name, sent]) => [
      name,
      stepsOf(sent, steps, receiver),
    ]),
  );
  return { idleLatencies, ofTenant, ofSource, stepsMs, missed: loaded.missed, seconds, left, lost, duplicated };
}

const ratio = (loaded: Latencies, idle: Latencies): number | null =>
  loaded.p95Ms === null || idle.p95Ms === null ? null : Math.round((100 * loaded.p95Ms) / idle.p95Ms) / 100;

export const benchmark: Benchmark = {
  summary: 'single events of one tenant, and of a quiet source, while another tenant has a mountain waiting',
  options: {
    events: { type: 'string', default: '100000' },
    batches: { type: 'string', default: '200' },
    probes: { type: 'string', default: '20' },
  },
  async run({ options, say }) {
    const [events, batches, probes] = [
      wholeOption(options, 'events'),
      wholeOption(options, 'batches'),
      wholeOption(options, 'probes'),
    ];
    const found = await withDeployment({ say }, (deployment) => measure(deployment, { events, batches, probes }, say));
    const { idleLatencies, ofTenant, ofSource, stepsMs, missed, seconds, left, lost, duplicated } = found;
    const figures = {
      mountain: { events, batches, seconds: Math.round(seconds), eventsPerSecond: Math.round(events / seconds) },
      idle: idleLatencies,
      loadedTenant: { ...ofTenant, p95OverIdle: ratio(ofTenant, idleLatencies) },
      loadedSource: { ...ofSource, p95OverIdle: ratio(ofSource, idleLatencies) },
      stepsMedianAndP95Ms: stepsMs,
      probesAfterTheMountain: missed,
      lost,
      duplicated,
    };
    const problems = [
      ...(lost === 0 && duplicated === 0 ? [] : [`${lost} events are lost and ${duplicated} are there twice`]),
      ...(left.batches + left.rows + left.deliveries + left.failed === 0 ? [] : [`not done: ${JSON.stringify(left)}`]),
      ...(ofTenant.count + ofSource.count === 2 * (probes - missed) ? [] : ['some alerts were not delivered']),
    ];
    return { figures, problems };
  },
};
