import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses } from '../chaos/processes.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { type MeasuredDeployment, withDeployment } from './support/deployment.ts';

/**
 * Three times as much as the deployment can work off, for minutes. Capacity is measured first, in the same run, and is
 * the baseline. Memory must stay bounded, senders must be told to wait and when to come back, and what was acknowledged
 * must be in the lake once everything has been worked off.
 */

const eventsPerRequest = 500;
const inFlightMax = 200;
const retryHeader = 'retry-after';

type Answers = {
  acknowledged: number;
  tooMany: number;
  unavailable: number;
  withoutRetryAfter: number;
  other: number;
  failed: number;
};

const noAnswers = (): Answers => ({
  acknowledged: 0,
  tooMany: 0,
  unavailable: 0,
  withoutRetryAfter: 0,
  other: 0,
  failed: 0,
});

/** Sends requests, each of events with ids of their own, and counts what came back. */
function createSender(url: string, name: string, answers: Answers) {
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

/** Keeps a backlog waiting and measures how fast it is worked off. */
async function measureCapacity({ inspector }: MeasuredDeployment, senders: readonly Sender[], seconds: number) {
  const stopped = new AbortController();
  const feed = async (sender: Sender): Promise<void> => {
    while (!stopped.signal.aborted) {
      if ((await inspector.waiting()).batches > 20) await sleep(50);
      else await Promise.all([sender.send(), sender.send()]);
    }
  };
  const feeding = senders.map(feed);
  await sleep(5000);
  const before = await inspector.eventsDone();
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1000;
  let done = 0;
  // A busy machine may work off nothing in so short a time.
  while (elapsed() < seconds || (done === 0 && elapsed() < 12 * seconds)) {
    await sleep(1000);
    done = (await inspector.eventsDone()) - before;
  }
  const capacity = done / elapsed();
  stopped.abort();
  await Promise.all(feeding);
  return capacity;
}

/** Sends at a fixed rate whatever comes back. Returns the events that were offered. */
async function flood(senders: readonly Sender[], eventsPerSecond: number, minutes: number): Promise<number> {
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

/** Largest resident memory of any one process of each kind, in MiB, looked at once a second. */
function watchMemory() {
  const largest = new Map<string, number>();
  const look = (): void => {
    for (const { kind, residentBytes } of listProcesses())
      largest.set(kind, Math.max(largest.get(kind) ?? 0, Math.round(residentBytes / 1024 / 1024)));
  };
  const timer = setInterval(look, 1000);
  return {
    stop(): Readonly<Record<string, number>> {
      clearInterval(timer);
      return Object.fromEntries(largest);
    },
  };
}

async function measure(deployment: MeasuredDeployment, minutes: number, say: (line: string) => void) {
  const { inspector, url } = deployment;
  const tenants = [await inspector.createTenant('one'), await inspector.createTenant('two')];
  const warm = noAnswers();
  const answers = noAnswers();
  const sendersOf = (counted: Answers, name: string) =>
    tenants.map((tenant, index) => createSender(`${url}${tenant.ingestPath}`, `${name}${index}`, counted));
  say('Measuring capacity …');
  const warmSenders = sendersOf(warm, 'warm');
  const capacity = await measureCapacity(deployment, warmSenders, 15);
  const memory = watchMemory();
  say(`${Math.round(capacity)} events a second are worked off; sending three times as many …`);
  const senders = sendersOf(answers, 'flood');
  const offered = await flood(senders, 3 * capacity, minutes);
  const { seconds: recoverySeconds, left } = await inspector.untilQuiet(600);
  const memoryMaxMib = memory.stop();
  const found = await Promise.all(tenants.map((tenant) => inspector.find(tenant)));
  const unsure = [...warmSenders, ...senders].flatMap((sender) => sender.unsure);
  const ids = found.flatMap(({ events }) => [...events]);
  const sure = ids.filter(([id]) => !unsure.some((prefix) => id.startsWith(prefix))).length;
  return {
    capacity,
    offered,
    answers,
    recoverySeconds,
    left,
    memoryMaxMib,
    lost: warm.acknowledged + answers.acknowledged - sure,
    duplicated: ids.filter(([, times]) => times > 1).length,
  };
}

export const benchmark: Benchmark = {
  summary: 'three times capacity for minutes: memory, refusals, recovery, and nothing acknowledged lost',
  options: {
    minutes: { type: 'string', default: '1' },
    'backlog-mib': { type: 'string', default: '32' },
  },
  async run({ options, say }) {
    const minutes = Number(options['minutes']);
    const backlogMib = wholeOption(options, 'backlog-mib');
    const environment = {
      MARGAY_BACKLOG_TENANT_MIB: String(backlogMib),
      MARGAY_BACKLOG_TOTAL_MIB: String(Math.ceil(1.5 * backlogMib)),
      MARGAY_INTAKE_MEMORY_MIB: '64',
    };
    const found = await withDeployment({ say, environment }, (deployment) => measure(deployment, minutes, say));
    const { capacity, offered, answers, recoverySeconds, left, memoryMaxMib, lost, duplicated } = found;
    const figures = {
      minutes,
      backlogTenantMib: backlogMib,
      capacityEventsPerSecond: Math.round(capacity),
      offeredEventsPerSecond: Math.round(offered / (minutes * 60)),
      acknowledgedEvents: answers.acknowledged,
      refused429: answers.tooMany,
      refused503: answers.unavailable,
      refusedWithoutRetryAfter: answers.withoutRetryAfter,
      otherAnswers: answers.other,
      requestsWithoutAnswer: answers.failed,
      memoryMaxMib,
      recoverySeconds: Math.round(recoverySeconds),
      lost,
      duplicated,
    };
    const problems = [
      ...(capacity > 0 ? [] : ['nothing was worked off while capacity was measured: the machine is too busy']),
      ...(lost === 0 && duplicated === 0 ? [] : [`${lost} events are lost and ${duplicated} are there twice`]),
      ...(answers.withoutRetryAfter === 0 ? [] : ['senders were refused without Retry-After']),
      ...(answers.other === 0 ? [] : [`${answers.other} answers were neither 202, 429 nor 503`]),
      ...(left.batches + left.rows + left.failed === 0 ? [] : [`not done: ${JSON.stringify(left)}`]),
    ];
    return { figures, problems };
  },
};
