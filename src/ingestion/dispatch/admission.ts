/**
 * Which waiting batches may start: deficit round robin over bytes (Shreedhar and Varghese, 1995), first among tenants,
 * then among the sources of each, so that neither a loud tenant nor a loud source keeps another waiting. Some places
 * are kept free for whoever has nothing at work, so that even a batch that takes long is never waited for.
 */

export type WaitingBatch = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly batchId: string;
  readonly lane: 'live' | 'replay';
  readonly bytes: number;
};

/** Batches of one source at work. */
export type Running = { readonly tenantId: string; readonly sourceId: string; readonly count: number };

export type AdmissionLimits = {
  /** Batches of one tenant at work at the same time; one more for each source that has none. */
  readonly perTenant: number;
  /** Batches of all tenants at work at the same time. */
  readonly total: number;
  /** Places beyond these, for sources that have nothing at work. */
  readonly reserved: number;
  /** Bytes each tenant may start per round; what it could not use is carried over while it still waits. */
  readonly quantumBytes: number;
};

/** Bytes owed from earlier rounds, by tenant, and whose turn comes first. Both survive from one call to the next. */
export type Fairness = { readonly owedBytes: ReadonlyMap<string, number>; readonly lastTenant: string | undefined };

export const noHistory: Fairness = { owedBytes: new Map(), lastTenant: undefined };

type Queue = { readonly tenantId: string; readonly batches: WaitingBatch[] };

/** One batch of each source in turn, live work before replays, the source that has least at work first. */
function interleave(batches: readonly WaitingBatch[], places: Places): WaitingBatch[] {
  const bySource = Map.groupBy(batches, (batch) => `${batch.lane}/${batch.sourceId}`);
  const lanes = [...bySource]
    .flatMap(([key, list]) => {
      const first = list[0];
      return first === undefined ? [] : [{ key, lane: first.lane, atWork: places.ofSource(first), list: [...list] }];
    })
    .toSorted(
      (a, b) => Number(a.lane > b.lane) - Number(a.lane < b.lane) || a.atWork - b.atWork || (a.key < b.key ? -1 : 1),
    );
  const ordered: WaitingBatch[] = [];
  while (ordered.length < batches.length) {
    for (const { list } of lanes) {
      const next = list.shift();
      if (next !== undefined) ordered.push(next);
    }
  }
  return ordered;
}

/** Counts what is at work and says who may have one more place. */
class Places {
  readonly #limits: AdmissionLimits;
  readonly #bySource = new Map<string, number>();
  readonly #byTenant = new Map<string, number>();
  #all = 0;

  constructor(running: readonly Running[], limits: AdmissionLimits) {
    this.#limits = limits;
    for (const { count, ...source } of running) this.take(source, count);
  }

  ofSource({ tenantId, sourceId }: Pick<Running, 'tenantId' | 'sourceId'>): number {
    return this.#bySource.get(`${tenantId}/${sourceId}`) ?? 0;
  }

  take(source: Pick<Running, 'tenantId' | 'sourceId'>, count = 1): void {
    this.#bySource.set(`${source.tenantId}/${source.sourceId}`, this.ofSource(source) + count);
    this.#byTenant.set(source.tenantId, (this.#byTenant.get(source.tenantId) ?? 0) + count);
    this.#all += count;
  }

  isFreeFor(source: Pick<Running, 'tenantId' | 'sourceId'>): boolean {
    const { perTenant, total, reserved } = this.#limits;
    const isIdle = this.ofSource(source) === 0;
    const mine = this.#byTenant.get(source.tenantId) ?? 0;
    return mine < perTenant + (isIdle ? 1 : 0) && this.#all < total + (isIdle ? reserved : 0);
  }
}

/** Tenants in a fixed circle, beginning after the one that was served last. */
function circle(waiting: readonly WaitingBatch[], lastTenant: string | undefined, places: Places): Queue[] {
  const byTenant = Map.groupBy(waiting, (batch) => batch.tenantId);
  const queues = [...byTenant]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tenantId, batches]) => ({ tenantId, batches: interleave(batches, places) }));
  const start = queues.findIndex((queue) => lastTenant !== undefined && queue.tenantId > lastTenant);
  return start <= 0 ? queues : [...queues.slice(start), ...queues.slice(0, start)];
}

/** Decides what starts now. Pure: the same input gives the same answer. */
export function admitBatches(
  waiting: readonly WaitingBatch[],
  running: readonly Running[],
  limits: AdmissionLimits,
  history: Fairness,
): { readonly admitted: readonly WaitingBatch[]; readonly history: Fairness } {
  const places = new Places(running, limits);
  const owed = new Map<string, number>();
  const queues = circle(waiting, history.lastTenant, places);
  for (const { tenantId } of queues) owed.set(tenantId, history.owedBytes.get(tenantId) ?? 0);
  const admitted: WaitingBatch[] = [];
  let lastTenant = history.lastTenant;
  const nextOf = (queue: Queue): number => queue.batches.findIndex((batch) => places.isFreeFor(batch));
  /** Starts what a tenant may start in this round. */
  const serve = (queue: Queue): void => {
    let budget = (owed.get(queue.tenantId) ?? 0) + limits.quantumBytes;
    for (let index = nextOf(queue); index !== -1; index = nextOf(queue)) {
      const next = queue.batches[index];
      if (next === undefined || next.bytes > budget) break;
      queue.batches.splice(index, 1);
      admitted.push(next);
      places.take(next);
      budget -= next.bytes;
      lastTenant = queue.tenantId;
    }
    owed.set(queue.tenantId, queue.batches.length > 0 ? budget : 0);
  };
  while (queues.some((queue) => nextOf(queue) !== -1)) queues.forEach(serve);
  return { admitted, history: { owedBytes: owed, lastTenant } };
}
