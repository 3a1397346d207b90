import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../chaos/random.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { type MeasuredDeployment, withDeployment } from './support/deployment.ts';
import { createSender, flood, measureCapacity, noAnswers } from './support/flood.ts';
import { latenciesOf, type Probe, probe } from './support/probes.ts';

/**
 * How long a received event takes to become a delivered alert: on the idle system (the baseline) and while the
 * deployment works at a share of what it can do, measured in the same run.
 */

type Wanted = { readonly sharePercent: number; readonly seconds: number };

/** Single events now and then, until the work beside them is done or so many were sent. */
async function probeWhile(url: string, name: string, until: () => boolean): Promise<readonly Probe[]> {
  const random = createRandom(3);
  const sent: Probe[] = [];
  while (!until()) {
    sent.push(await probe(url, `${name}-${sent.length}`));
    await sleep(150 + 300 * random());
  }
  return sent;
}

async function measure(deployment: MeasuredDeployment, wanted: Wanted, say: (line: string) => void) {
  const { inspector, receiver, url } = deployment;
  const tenants = [await inspector.createTenant('one'), await inspector.createTenant('two')];
  const first = `${url}${tenants[0]?.ingestPath ?? ''}`;
  const answers = noAnswers();
  const senders = tenants.map((tenant, index) => createSender(`${url}${tenant.ingestPath}`, `load${index}`, answers));
  // The first ones start interpreters and make tables.
  for (const index of [1, 2, 3]) await latenciesOf([await probe(first, `first-${index}`)], receiver);
  say('Single events into an idle system …');
  let left = 40;
  const idle = await latenciesOf(await probeWhile(first, 'idle', () => (left -= 1) < 0), receiver);
  say('Measuring capacity …');
  const capacity = await measureCapacity(deployment, senders, 20);
  const rate = (capacity * wanted.sharePercent) / 100;
  say(`${Math.round(capacity)} events a second are worked off; sending ${Math.round(rate)} …`);
  let isDone = false;
  const flooding = flood(senders, rate, wanted.seconds / 60).finally(() => (isDone = true));
  const probes = await probeWhile(first, 'loaded', () => isDone);
  const loaded = await latenciesOf(probes, receiver);
  const offered = await flooding;
  return { capacity, rate, offered, idle, loaded, sent: probes.length, answers };
}

export const benchmark: Benchmark = {
  summary: 'from a received event to its delivered alert, idle and at a share of capacity',
  options: {
    'share-percent': { type: 'string', default: '70' },
    seconds: { type: 'string', default: '60' },
  },
  async run({ options, say }) {
    const wanted = { sharePercent: wholeOption(options, 'share-percent'), seconds: wholeOption(options, 'seconds') };
    const found = await withDeployment({ say }, (deployment) => measure(deployment, wanted, say));
    const { capacity, rate, offered, idle, loaded, sent, answers } = found;
    return {
      figures: {
        capacityEventsPerSecond: Math.round(capacity),
        offeredEventsPerSecond: Math.round(rate),
        offeredEvents: offered,
        refused: answers.tooMany + answers.unavailable,
        idle,
        loaded,
      },
      problems: loaded.count === sent ? [] : [`${sent - loaded.count} of ${sent} alerts were not delivered`],
    };
  },
};
