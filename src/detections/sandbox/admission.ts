/** Something that may hold an interpreter. */
export type Tenancy = {
  /** Bytes it holds, or is about to; zero without a process. */
  memoryBytes: number;
  /** Nobody waits for it, so it may be ended. */
  readonly isIdle: boolean;
  readonly usedAt: number;
  /** Ends it to make room for another. */
  evict(): void;
};

/** What a fresh interpreter is reckoned with until it has been measured. */
const expectedBytes = 160 * 1024 * 1024;

/**
 * Admits interpreters while they fit into the budget. Whoever has been idle for longest makes room; if all are at
 * work, the newcomer waits. One is always admitted, however small the budget.
 */
export function createAdmission(budgetBytes: number, tenancies: () => Iterable<Tenancy>) {
  const waiting: (() => void)[] = [];
  const hasRoomFor = (newcomer: Tenancy): boolean => {
    const others = [...tenancies()].filter((other) => other !== newcomer && other.memoryBytes > 0);
    const idle = others.filter((other) => other.isIdle).toSorted((a, b) => a.usedAt - b.usedAt);
    let used = others.reduce((sum, other) => sum + other.memoryBytes, 0);
    let count = others.length;
    for (const other of idle) {
      if (used + expectedBytes <= budgetBytes) break;
      used -= other.memoryBytes;
      count -= 1;
      other.evict();
    }
    return count === 0 || used + expectedBytes <= budgetBytes;
  };
  return {
    /** Returns when the newcomer may start a process; its share is taken from then on. */
    async admit(newcomer: Tenancy): Promise<void> {
      if (newcomer.memoryBytes > 0) return;
      while (!hasRoomFor(newcomer)) await new Promise<void>((resolve) => waiting.push(resolve));
      newcomer.memoryBytes = expectedBytes;
    },
    /** Something became idle or smaller: those who wait look again. */
    recheck(): void {
      for (const resume of waiting.splice(0)) resume();
    },
  };
}
