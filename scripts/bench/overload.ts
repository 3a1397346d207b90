import { listProcesses } from '../chaos/processes.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { type MeasuredDeployment, withDeployment } from './support/deployment.ts';
import { type Answers, createSender, flood, measureCapacity, noAnswers } from './support/flood.ts';

/**
 * Three times as much as the deployment can work off, for minutes. Capacity is measured first, in the same run, and is
 * the baseline. Memory must stay bounded, senders must be told to wait and when to come back, and what was acknowledged
 * must be in the lake once everything has been worked off.
 */

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
  const { seconds: recoverySeconds, left } = await inspector.untilQuiet(180);
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
