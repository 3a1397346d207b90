import { DomainError } from '#platform/errors';
import type { SandboxPool } from './sandbox-contract.ts';
import { SandboxProcess } from './sandbox-process.ts';
import { type SandboxLimits, TenantSandbox } from './tenant-sandbox.ts';
import type { Walls } from './walls/walls.ts';

type Deps = {
  readonly walls: Walls;
  readonly bundle: string;
  readonly limits?: Partial<SandboxLimits>;
  /** Interpreters kept warm; beyond it the one unused for longest is ended. About 200 MB each. */
  readonly processesMax?: number;
  /** Chunks after which a tenant gets a fresh interpreter. */
  readonly recycleAfterChunks?: number;
};

const defaultSandboxLimits: SandboxLimits = {
  chunkRecords: 1000,
  chunkBytes: 4 * 1024 * 1024,
  chunkTimeoutMs: 10_000,
  ruleTimeoutMs: 2000,
  loadTimeoutMs: 20_000,
  culpritsMax: 5,
};

/** Interpreters that have seen no tenant yet: one is always started ahead, because starting takes longer than a batch. */
function createSpares(walls: Walls, bundle: string) {
  let spare: SandboxProcess | undefined;
  let isClosed = false;
  const refill = (): void => {
    if (!isClosed && !spare?.isAlive) spare = new SandboxProcess(walls, bundle);
  };
  refill();
  return {
    async take(): Promise<SandboxProcess> {
      const taken = spare?.isAlive ? spare : new SandboxProcess(walls, bundle);
      spare = undefined;
      try {
        await taken.ready;
      } catch (error) {
        // No tenant's rule was near it: this machine is short of something, and the work waits for better times.
        throw new DomainError('unavailable', {
          publicMessage: 'No interpreter could be started for detections. Try again in a moment.',
          retryable: true,
          retryAfterSeconds: 5,
          cause: error,
        });
      } finally {
        refill();
      }
      return taken;
    },
    close(): void {
      isClosed = true;
      spare?.kill();
    },
  };
}

type Slot = { readonly sandbox: TenantSandbox; queue: Promise<unknown>; waiting: number; usedAt: number };

/** One sandbox per key, one call at a time per sandbox in order of arrival, the idle ones bounded in number. */
function createSlots(make: () => TenantSandbox, idleMax: number, recycleAfterChunks: number) {
  const slots = new Map<string, Slot>();
  const slotOf = (key: string): Slot => {
    const slot = slots.get(key) ?? { sandbox: make(), queue: Promise.resolve(), waiting: 0, usedAt: 0 };
    slots.set(key, slot);
    return slot;
  };
  const evict = (): void => {
    const idle = [...slots].filter(([, slot]) => slot.waiting === 0).toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key, slot] of idle.slice(0, Math.max(0, slots.size - idleMax))) {
      slot.sandbox.close();
      slots.delete(key);
    }
  };
  return {
    async inTurn<T>(key: string, work: (sandbox: TenantSandbox) => Promise<T>): Promise<T> {
      const slot = slotOf(key);
      slot.waiting += 1;
      const result = slot.queue.then(() => work(slot.sandbox));
      slot.queue = result.catch(() => undefined);
      try {
        return await result;
      } finally {
        slot.waiting -= 1;
        slot.usedAt = performance.now();
        slot.sandbox.recycleAfter(recycleAfterChunks);
        evict();
      }
    },
    async close(): Promise<void> {
      for (const { sandbox } of slots.values()) sandbox.close();
      await Promise.all([...slots.values()].map((slot) => slot.queue));
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
  processesMax = 20,
  recycleAfterChunks = 20_000,
}: Deps): SandboxPool {
  const spares = createSpares(walls, bundle);
  const allLimits = { ...defaultSandboxLimits, ...limits };
  const slots = createSlots(
    () => new TenantSandbox({ newProcess: () => spares.take(), limits: allLimits }),
    processesMax,
    recycleAfterChunks,
  );
  return {
    evaluate: ({ tenantId, content, logType, records }) =>
      slots.inTurn(`${tenantId}/evaluate`, (sandbox) => sandbox.evaluate(content, logType, records)),
    test: ({ tenantId, content, ruleId, tests }) =>
      slots.inTurn(`${tenantId}/test`, (sandbox) => sandbox.test(content, ruleId, tests)),
    check: ({ tenantId, content }) => slots.inTurn(`${tenantId}/test`, (sandbox) => sandbox.check(content)),
    async close() {
      spares.close();
      await slots.close();
    },
  };
}
