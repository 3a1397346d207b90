/** Work that waits for its turn. */
export type FairQueue = {
  /** Runs the work when it is the turn of its key; settles as the work does. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
};

/**
 * Runs a few pieces of work at once, never two of one key; keys that wait take turns, so that one with much to do does
 * not hold back one with little. How much may wait is for the caller to bound.
 */
export function createFairQueue(atOnceMax: number): FairQueue {
  const running = new Set<string>();
  const waiting = new Map<string, (() => void)[]>();
  const startNext = (): void => {
    for (const [key, starts] of waiting) {
      if (running.size >= atOnceMax) return;
      const start = running.has(key) ? undefined : starts.shift();
      if (start === undefined) continue;
      // To the end of the line, or out of it.
      waiting.delete(key);
      if (starts.length > 0) waiting.set(key, starts);
      running.add(key);
      start();
    }
  };
  return {
    async run(key, work) {
      const turn = Promise.withResolvers<void>();
      const starts = waiting.get(key) ?? [];
      starts.push(turn.resolve);
      waiting.set(key, starts);
      startNext();
      await turn.promise;
      try {
        return await work();
      } finally {
        running.delete(key);
        // What came meanwhile and is small goes first.
        setImmediate(startNext);
      }
    },
  };
}
