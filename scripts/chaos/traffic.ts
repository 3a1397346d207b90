import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What was sent and what became of it, by event id. */
export type Ledger = {
  /** Acknowledged: must be in the lake once. */
  readonly acknowledged: Map<string, ChaosEvent>;
  /** Sent once without an answer that says yes: may be in the lake once or not at all. */
  readonly unsure: Map<string, ChaosEvent>;
};

export type ChaosEvent = {
  readonly id: string;
  readonly group: string;
  readonly hit: boolean;
};

type Options = {
  /** Each request, and each repetition of one, goes to one of them at random. */
  readonly urls: readonly string[];
  readonly name: string;
  readonly random: () => number;
  readonly eventsPerSecond: number;
};

const eventsPerRequest = 20;
const hitShare = 0.1;
const groups = 40;

/**
 * Sends events until stopped. Half of the requests carry an idempotency key and are repeated until acknowledged, as a
 * careful sender does; the others are sent once.
 */
export function startTraffic({ urls, name, random, eventsPerSecond }: Options): {
  readonly ledger: Ledger;
  stop(): Promise<void>;
} {
  const ledger: Ledger = { acknowledged: new Map(), unsure: new Map() };
  let isStopped = false;
  let count = 0;
  const post = async (body: string, key: string | undefined): Promise<boolean> => {
    try {
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const signal = AbortSignal.timeout(20_000);
      const url = urls[Math.floor(random() * urls.length)] ?? '';
      const response = await fetch(url, { method: 'POST', body, headers, signal });
      await response.arrayBuffer();
      return response.status === 202;
    } catch {
      return false;
    }
  };
  const makeEvents = (kind: string): readonly ChaosEvent[] =>
    Array.from({ length: eventsPerRequest }, () => ({
      id: `${name}-${(count += 1)}`,
      group: `${name}-${kind}-${Math.floor(random() * groups)}`,
      hit: random() < hitShare,
    }));
  const request = async (isKeyed: boolean): Promise<void> => {
    const events = makeEvents(isKeyed ? 'keyed' : 'plain');
    const at = new Date().toISOString();
    const body = events.map((event) => `${JSON.stringify({ ...event, at })}\n`).join('');
    const key = isKeyed ? randomUUID() : undefined;
    let isAcknowledged = await post(body, key);
    while (isKeyed && !isAcknowledged) {
      await sleep(200 + random() * 800);
      isAcknowledged = await post(body, key);
    }
    for (const event of events) ledger[isAcknowledged ? 'acknowledged' : 'unsure'].set(event.id, event);
  };
  const running = new Set<Promise<void>>();
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      const work = request(random() < 0.5).finally(() => running.delete(work));
      running.add(work);
      await sleep((1000 * eventsPerRequest) / eventsPerSecond);
      // So many requests without an answer mean that the deployment is down: wait for some.
      while (running.size > 200) await sleep(50);
    }
    await Promise.all(running);
  };
  const done = loop();
  return {
    ledger,
    async stop() {
      isStopped = true;
      await done;
    },
  };
}
