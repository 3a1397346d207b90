import { privateMemoryOf, type Walls } from '#platform/walls';
import { createAdmission, type Tenancy } from './admission.ts';
import type { IndexMissStore, OwnIndexMisses } from './index-miss-store.ts';
import { createProcessSource } from './process-source.ts';
import type { IndexUse, SandboxPool, UnindexedReport } from './sandbox-contract.ts';
import { type SandboxLimits, TenantSandbox } from './tenant-sandbox.ts';
import type { TenantSnapshots } from './tenant-snapshots.ts';

type Deps = {
  readonly walls: Walls;
  readonly bundle: string;
  readonly limits?: Partial<SandboxLimits>;
  /** Without it every process loads its content from source. */
  readonly snapshots?: TenantSnapshots;
  /** Without it every process finds out for itself where the index is wrong. */
  readonly misses?: IndexMissStore;
  readonly reportUnindexed?: (found: Parameters<UnindexedReport>[0] & { readonly tenantId: string }) => void;
  /** All interpreters together; about 150 MiB each. */
  readonly memoryBytesMax?: number;
  /** One that holds more after its work is ended. */
  readonly processBytesMax?: number;
  /** Chunks after which a tenant gets a fresh interpreter. */
  readonly recycleAfterChunks?: number;
  /** An interpreter that nobody asked for so long is ended. */
  readonly idleMs?: number;
  /** The same, when the tenant's content has changed and another holds the new one. */
  readonly drainMs?: number;
  readonly index?: IndexUse;
};

const defaultIndexUse: IndexUse = { mode: 'strict', verifyShare: 0.01 };

const defaultSandboxLimits: SandboxLimits = {
  chunkRecords: 1000,
  chunkBytes: 4 * 1024 * 1024,
  chunkTimeoutMs: 10_000,
  ruleTimeoutMs: 2000,
  loadTimeoutMs: 20_000,
  culpritsMax: 5,
};

const mebibyte = 1024 * 1024;
const defaults = {
  memoryBytesMax: 4096 * mebibyte,
  processBytesMax: 450 * mebibyte,
  recycleAfterChunks: 20_000,
  idleMs: 10 * 60_000,
  drainMs: 20_000,
};

/** A call; `breathe` lets others in and returns when it is this call's turn again. */
type Call<T> = (sandbox: TenantSandbox, breathe: () => Promise<void>) => Promise<T>;

/** How many interpreters ended for which reason. */
type Ended = { evictions: number; recycles: number; idleEnds: number };

/**
 * A place for one interpreter: its calls go one at a time, in order of arrival. A long call lets others in between its
 * chunks, so that a single event does not wait for a mountain of the same tenant.
 */
class Slot implements Tenancy {
  readonly sandbox: TenantSandbox;
  readonly group: string;
  readonly madeAt = performance.now();
  usedAt = performance.now();
  memoryBytes = 0;
  readonly #running = new Set<Promise<unknown>>();
  readonly #waiters: (() => void)[] = [];
  #isBusy = false;

  readonly #ended: Ended;

  constructor(group: string, ended: Ended, make: (slot: Slot) => TenantSandbox) {
    this.group = group;
    this.#ended = ended;
    this.sandbox = make(this);
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  end(why?: keyof Ended): void {
    if (why !== undefined && this.memoryBytes > 0) this.#ended[why] += 1;
    this.sandbox.close();
    this.memoryBytes = 0;
  }

  evict(): void {
    this.end('evictions');
  }

  async inTurn<T>(work: Call<T>, after: () => Promise<void>): Promise<T> {
    const result = this.#turn(work, after);
    this.#running.add(result);
    try {
      return await result;
    } finally {
      this.#running.delete(result);
      this.usedAt = performance.now();
    }
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #turn<T>(work: Call<T>, after: () => Promise<void>): Promise<T> {
    if (this.#isBusy) await this.#wait();
    this.#isBusy = true;
    try {
      return await work(this.sandbox, () => this.#breathe());
    } finally {
      await after();
      this.#release();
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Hands the interpreter to whoever waits first; it is not free in between. */
  #release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#isBusy = false;
    else next();
  }

  async #breathe(): Promise<void> {
    if (this.#waiters.length === 0) return;
    const back = this.#wait();
    this.#release();
    await back;
  }
}

/** Slots by key. Content that changes gets a slot of its own; the old one ends when its last batches are done. */
function createSlots(options: typeof defaults, make: (tenantId: string, slot: Slot) => TenantSandbox) {
  const slots = new Map<string, Slot>();
  const ended: Ended = { evictions: 0, recycles: 0, idleEnds: 0 };
  const admission = createAdmission(options.memoryBytesMax, () => slots.values());
  const dropIdle = (): void => {
    const now = performance.now();
    for (const [key, slot] of slots) {
      const isOld = [...slots.values()].some((other) => other.group === slot.group && other.madeAt > slot.madeAt);
      if (!slot.isIdle || now - slot.usedAt < (isOld ? options.drainMs : options.idleMs)) continue;
      slot.end('idleEnds');
      slots.delete(key);
    }
    admission.recheck();
  };
  const timer = setInterval(dropIdle, Math.min(options.idleMs, options.drainMs)).unref();
  const tidy = async (slot: Slot): Promise<void> => {
    const { sandbox } = slot;
    const held = sandbox.pid === undefined ? undefined : await privateMemoryOf(sandbox.pid);
    if (!sandbox.isRunning || sandbox.chunks > options.recycleAfterChunks || (held ?? 0) > options.processBytesMax)
      slot.end('recycles');
    else slot.memoryBytes = held ?? slot.memoryBytes;
  };
  return {
    admission,
    async inTurn<T>(
      place: { readonly tenantId: string; readonly purpose: string; readonly revision?: string },
      work: Call<T>,
    ): Promise<T> {
      const group = `${place.tenantId}/${place.purpose}`;
      const key = `${group}/${place.revision ?? ''}`;
      const slot = slots.get(key) ?? new Slot(group, ended, (made) => make(place.tenantId, made));
      slots.set(key, slot);
      try {
        return await slot.inTurn(work, () => tidy(slot));
      } finally {
        admission.recheck();
      }
    },
    status: () => ({
      processes: [...slots.values()].filter((slot) => slot.sandbox.isRunning).length,
      memoryBytes: [...slots.values()].reduce((sum, slot) => sum + slot.memoryBytes, 0),
      ...ended,
    }),
    async close(): Promise<void> {
      clearInterval(timer);
      for (const slot of slots.values()) slot.end();
      admission.recheck();
      await Promise.all([...slots.values()].map((slot) => slot.settled()));
      for (const slot of slots.values()) slot.end();
    },
  };
}

/**
 * One interpreter process per active tenant and purpose; a process never serves two tenants, not even in turn.
 * Tests and checks run content that is not saved, so never in the process that evaluates the tenant's real events.
 */
export function createSandboxPool({
  walls,
  bundle,
  limits,
  snapshots,
  misses,
  index = defaultIndexUse,
  reportUnindexed,
  ...given
}: Deps): SandboxPool {
  const source = createProcessSource(walls, bundle);
  const allLimits = { ...defaultSandboxLimits, ...limits };
  const slots = createSlots({ ...defaults, ...given }, (tenantId, slot) => {
    const isLive = slot.group.endsWith('/evaluate');
    return new TenantSandbox({
      limits: allLimits,
      index,
      newProcess: async (image) => {
        await slots.admission.admit(slot);
        return source.take(image);
      },
      snapshots: isLive && snapshots ? bindSnapshots(snapshots, tenantId) : undefined,
      misses: isLive && misses ? bindMisses(misses, tenantId) : undefined,
      reportUnindexed: (found) => reportUnindexed?.({ tenantId, ...found }),
    });
  });
  return {
    evaluate: ({ tenantId, content, logType, records, cache, withheld }) =>
      slots.inTurn({ tenantId, purpose: 'evaluate', revision: content.revision }, (sandbox, breathe) =>
        sandbox.evaluate(content, { logType, records, cache, withheld }, breathe),
      ),
    test: ({ tenantId, content, ruleId, tests }) =>
      slots.inTurn({ tenantId, purpose: 'test' }, (sandbox) => sandbox.test(content, ruleId, tests)),
    explain: ({ tenantId, content, ruleIds }) =>
      slots.inTurn({ tenantId, purpose: 'test' }, (sandbox) => sandbox.explain(content, ruleIds)),
    check: ({ tenantId, content }) => slots.inTurn({ tenantId, purpose: 'test' }, (sandbox) => sandbox.check(content)),
    status: () => ({ ...slots.status(), ...source.status() }),
    async close() {
      source.close();
      await slots.close();
    },
  };
}

function bindSnapshots(snapshots: TenantSnapshots, tenantId: string) {
  return {
    find: (revision: string) => snapshots.find(tenantId, revision),
    save: (revision: string, snapshot: Parameters<TenantSnapshots['save']>[2]) =>
      snapshots.save(tenantId, revision, snapshot),
    forget: (revision: string) => snapshots.forget(tenantId, revision),
  };
}

function bindMisses(misses: IndexMissStore, tenantId: string): OwnIndexMisses {
  return {
    find: (revision) => misses.find(tenantId, revision),
    add: (revision, ruleIds) => misses.add(tenantId, revision, ruleIds),
  };
}
