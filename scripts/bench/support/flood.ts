/** Load for a deployment: requests of many events each, at a rate, with what came back counted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeasuredDeployment } from './deployment.ts';

const eventsPerRequest = 500;
const inFlightMax = 200;
const retryHeader = 'retry-after';

export type Answers = {
  acknowledged: number;
  tooMany: number;
  unavailable: number;
  withoutRetryAfter: number;
  other: number;
  failed: number;
};

export const noAnswers = (): Answers => ({
  acknowledged: 0,
  tooMany: 0,
  unavailable: 0,
  withoutRetryAfter: 0,
  other: 0,
  failed: 0,
});

/** Sends requests, each of events with ids of their own, and counts what came back. */
export function createSender(url: string, name: string, answers: Answers) {
  let sent = 0;
  /** Requests that ended without an answer: their events may be there or not. */
  const unsure: string[] = [];
  const filler = 'x'.repeat(200);
  const count = (status: number, hasRetryAfter: boolean): void => {
    if (status === 202) answers.acknowledged += eventsPerRequest;
    else if (status === 429) answers.tooMany += 1;
    else if (status === 503) answers.unavailable += 1;
    else answers.other += 1;
    if ((status === 429 || status === 503) && !hasRetryAfter) answers.withoutRetryAfter += 1;
  };
  return {
    unsure,
    async send(): Promise<number> {
      const prefix = `${name}-${(sent += 1)}-`;
      const at = new Date().toISOString();
      let body = '';
      for (let index = 0; index < eventsPerRequest; index += 1)
        body += `{"id":"${prefix}${index}","group":"none","hit":false,"at":"${at}","note":"${filler}"}\n`;
      try {
        const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(60_000) });
        await response.arrayBuffer();
        count(response.status, response.headers.has(retryHeader));
        return response.status;
      } catch {
        answers.failed += 1;
        unsure.push(prefix);
        return 0;
      }
    },
  };
}

type Sender = ReturnType<typeof createSender>;

/**
 * Keeps a backlog waiting for so many seconds and measures how fast it is worked off, until the last row of it is in
 * the lake: loads come later than what they load.
 */
export async function measureCapacity(
  { inspector }: MeasuredDeployment,
  senders: readonly Sender[],
  seconds: number,
): Promise<number> {
  const before = await inspector.eventsDone();
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1000;
  const feed = async (sender: Sender): Promise<void> => {
    while (elapsed() < seconds) {
      if ((await inspector.waiting()).batches > 20) await sleep(50);
      else await Promise.all([sender.send(), sender.send()]);
    }
  };
  await Promise.all(senders.map(feed));
  await inspector.untilQuiet(180);
  return ((await inspector.eventsDone()) - before) / elapsed();
}

/** Sends at a fixed rate whatever comes back. Returns the events that were offered. */
export async function flood(senders: readonly Sender[], eventsPerSecond: number, minutes: number): Promise<number> {
  const startedAt = performance.now();
  const running = new Set<Promise<number>>();
  let offered = 0;
  while (performance.now() - startedAt < minutes * 60_000) {
    const due = ((performance.now() - startedAt) / 1000) * eventsPerSecond;
    if (offered < due && running.size < inFlightMax) {
      const sender = senders[Math.floor(offered / eventsPerRequest) % senders.length];
      const request: Promise<number> = (sender?.send() ?? Promise.resolve(0)).finally(() => running.delete(request));
      running.add(request);
      offered += eventsPerRequest;
    } else await sleep(5);
  }
  await Promise.all(running);
  return offered;
}
