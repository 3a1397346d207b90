import type { SandboxPool } from '#detections';
import { listFigures, type WorkerFigures } from '#ingestion';
import type { StoredGauge } from '#platform/metrics';
import type { Database } from '#platform/postgres';

type Reading = { readonly process: string; readonly figures: WorkerFigures };
type Shown = Readonly<Record<string, string>>;

const interpreters: Shown = { processes: 'alive', spare: 'spare' };
const memory: Shown = { memoryBytes: 'held' };
const events: Shown = {
  startsCold: 'start_cold',
  startsGeneric: 'start_generic',
  startsSnapshot: 'start_snapshot',
  evictions: 'eviction',
  recycles: 'recycle',
  idleEnds: 'idle_end',
};

const readers: Shown = { readersRunning: 'running', readersSpare: 'spare' };

/** Interpreters of detections, and readers of queries: those of this process, and of each worker as it last told of itself. */
export function processGauges(database: Database, pool: Pick<SandboxPool, 'status'>): readonly StoredGauge[] {
  const readNow = async (): Promise<readonly Reading[]> => {
    const workers = await database.withSystem('metrics look at all workers', listFigures);
    return [
      { process: 'api', figures: { ...pool.status() } },
      ...workers.map(({ workerId, figures }) => ({ process: workerId, figures })),
    ];
  };
  // The gauges of one scrape are read at the same time: they share a reading.
  let reading: Promise<readonly Reading[]> | undefined;
  const readAll = (): Promise<readonly Reading[]> =>
    (reading ??= readNow().finally(() => {
      reading = undefined;
    }));
  const gauge = (name: string, help: string, label: string, shown: Shown): StoredGauge => ({
    name,
    help,
    labels: ['process', label],
    async read() {
      const readings = await readAll();
      return readings.flatMap(({ process, figures }) =>
        // A process shows what it has: only workers run queries, and only beside the embedded lake in processes.
        Object.entries(shown).flatMap(([figure, state]) => {
          const value = figures[figure];
          return value === undefined ? [] : [{ labels: { process, [label]: state }, value }];
        }),
      );
    },
  });
  return [
    gauge(
      'margay_sandbox_interpreters',
      'Interpreters of tenants, and processes that wait for one.',
      'state',
      interpreters,
    ),
    gauge('margay_sandbox_memory_bytes', 'Private memory of interpreters of tenants.', 'state', memory),
    gauge(
      'margay_query_readers',
      'Processes that run a query of a user, and those that wait for one.',
      'state',
      readers,
    ),
    gauge('margay_sandbox_events', 'What happened to interpreters since the process began.', 'event', events),
  ];
}
