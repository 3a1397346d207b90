/**
 * Which waiting batches may start: deficit round robin over bytes (Shreedhar and Varghese, 1995), first among tenants,
 * then among the sources of each, so that neither a loud tenant nor a loud source keeps another waiting.
 */

export type WaitingBatch = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly batchId: string;
  readonly lane: 'live' | 'replay';
  readonly bytes: number;
};

type Limits = {
  /** Batches of one tenant at work at the same time. */
  readonly perTenant: number;
  /** Batches of all tenants at work at the same time. */
  readonly total: number;
  /** Bytes each tenant may start per round; what it could not use is carried over while it still waits. */
  readonly quantumBytes: number;
};

/** Bytes owed from earlier rounds, by tenant, and whose turn comes first. Both survive from one call to the next. */
export type Fairness = { readonly owedBytes: ReadonlyMap<string, number>; readonly lastTenant: string | undefined };

export const noHistory: Fairness = { owedBytes: new Map(), lastTenant: undefined };

type Queue = { readonly tenantId: string; readonly batches: WaitingBatch[] };

/** One batch of each source in turn; live work of a source comes before its replays. */
function interleave(batches: readonly WaitingBatch[]): WaitingBatch[] {
  const bySource = Map.groupBy(batches, (batch) => `${batch.lane}/${batch.sourceId}`);
  const lanes = [...bySource].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, list]) => [...list]);
  const ordered: WaitingBatch[] = [];
  while (ordered.length < batches.length) {
    for (const lane of lanes) {
      const next = lane.shift();
      if (next !== undefined) ordered.push(next);
    }
  }
  return ordered;
}

/** Tenants in a fixed circle, beginning after the one that was served last. */
function circle(waiting: readonly WaitingBatch[], lastTenant: string | undefined): Queue[] {
  const byTenant = Map.groupBy(waiting, (batch) => batch.tenantId);
  const queues = [...byTenant]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tenantId, batches]) => ({ tenantId, batches: interleave(batches) }));
  const start = queues.findIndex((queue) => lastTenant !== undefined && queue.tenantId > lastTenant);
  return start <= 0 ? queues : [...queues.slice(start), ...queues.slice(0, start)];
}

/** Decides what starts now. `running` counts batches at work by tenant. Pure: the same input gives the same answer. */
export function admitBatches(
  waiting: readonly WaitingBatch[],
  running: ReadonlyMap<string, number>,
  limits: Limits,
  history: Fairness,
): { readonly admitted: readonly WaitingBatch[]; readonly history: Fairness } {
  const counts = new Map(running);
  let free = limits.total - [...running.values()].reduce((sum, count) => sum + count, 0);
  const owed = new Map<string, number>();
  const queues = circle(waiting, history.lastTenant);
  for (const { tenantId } of queues) owed.set(tenantId, history.owedBytes.get(tenantId) ?? 0);
  const admitted: WaitingBatch[] = [];
  let lastTenant = history.lastTenant;
  const isOpen = (queue: Queue) => queue.batches.length > 0 && (counts.get(queue.tenantId) ?? 0) < limits.perTenant;
  while (free > 0 && queues.some(isOpen)) {
    for (const queue of queues) {
      if (!isOpen(queue)) continue;
      let budget = (owed.get(queue.tenantId) ?? 0) + limits.quantumBytes;
      for (
        let next = queue.batches[0];
        next !== undefined && free > 0 && isOpen(queue) && next.bytes <= budget;
        next = queue.batches[0]
      ) {
        queue.batches.shift();
        admitted.push(next);
        counts.set(queue.tenantId, (counts.get(queue.tenantId) ?? 0) + 1);
        budget -= next.bytes;
        free -= 1;
        lastTenant = queue.tenantId;
      }
      owed.set(queue.tenantId, queue.batches.length > 0 ? budget : 0);
      if (free === 0) break;
    }
  }
  return { admitted, history: { owedBytes: owed, lastTenant } };
}
