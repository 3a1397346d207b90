/** Single events that are followed until their alert is delivered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Steps } from '../../chaos/deployment.ts';
import type { Receiver } from '../../chaos/receiver.ts';
import { percentile } from './benchmark.ts';

export type Probe = { readonly sentAtMs: number; readonly group: string };
export type Latencies = {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly count: number;
};

const deliveryWaitMs = 120_000;

/** Sends a body until it is taken; the key keeps a repetition from counting twice. */
export async function post(url: string, body: string, key: string): Promise<void> {
  for (;;) {
    const response = await fetch(url, { method: 'POST', body, headers: { 'idempotency-key': key } });
    await response.arrayBuffer();
    if (response.status === 202) return;
    if (response.status !== 429 && response.status !== 503) throw new Error(`The intake answered ${response.status}.`);
    await sleep(1000 * Number(response.headers.get('retry-after') ?? 1));
  }
}

/** One line of the log type that benchmarks and chaos use. */
export const eventText = (id: string, group: string, hit: boolean): string =>
  `${JSON.stringify({ id, group, hit, at: new Date().toISOString(), note: 'x'.repeat(200) })}\n`;

/** Sends one event that makes an alert of its own. */
export async function probe(url: string, group: string): Promise<Probe> {
  const sentAtMs = performance.now();
  await post(url, eventText(group, group, true), group);
  return { sentAtMs, group };
}

/** Times from sending to the arrival of the alert at the receiver, once all have arrived or two minutes have passed. */
export async function latenciesOf(probes: readonly Probe[], { arrivedAtMs }: Receiver): Promise<Latencies> {
  const deadline = performance.now() + deliveryWaitMs;
  while (probes.some(({ group }) => !arrivedAtMs.has(group)) && performance.now() < deadline) await sleep(20);
  const found = probes.flatMap(({ group, sentAtMs }) => {
    const arrived = arrivedAtMs.get(group);
    return arrived === undefined ? [] : [Math.round(arrived - sentAtMs)];
  });
  return {
    p50Ms: percentile(found, 0.5),
    p95Ms: percentile(found, 0.95),
    p99Ms: percentile(found, 0.99),
    count: found.length,
  };
}

const stepNames = ['received', 'stored', 'planned', 'alerted', 'dispatched', 'arrived'] as const;

/** How long the probes took to each step from the one before it: the median and the 95th percentile, in milliseconds. */
export function stepsOf(
  probes: readonly Probe[],
  steps: readonly Steps[],
  { arrivedAtMs }: Receiver,
): Readonly<Record<string, readonly [number | null, number | null]>> {
  const times = probes.flatMap(({ group, sentAtMs }) => {
    const found = steps.find((step) => step.group === group);
    const arrived = arrivedAtMs.get(group);
    if (found === undefined || arrived === undefined) return [];
    return [{ ...found, sent: performance.timeOrigin + sentAtMs, arrived: performance.timeOrigin + arrived }];
  });
  const between = stepNames.map((name, index) => {
    const before = stepNames[index - 1] ?? 'sent';
    const taken = times.map((time) => Math.round(time[name] - time[before]));
    return [name, [percentile(taken, 0.5), percentile(taken, 0.95)] as const] as const;
  });
  return Object.fromEntries(between);
}
