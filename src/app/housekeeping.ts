import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#platform/log';

/** Work that is done again and again and may be done by several processes at the same time. */
export type HousekeepingTask = {
  readonly name: string;
  /** Returns how much was done; a number of `fullRound` or more means that there is probably more to do at once. */
  readonly run: () => Promise<number>;
  readonly fullRound: number;
};

type Options = { readonly log: Log; readonly firstAfterMs?: number; readonly everyMs?: number };

/** Runs every task once an hour, or as often as asked, until stopped. A task that fails is logged and does not hold up the others. */
export function startHousekeeping(
  tasks: readonly HousekeepingTask[],
  { log, firstAfterMs = 60_000, everyMs = 3_600_000 }: Options,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const runTask = async ({ name, run, fullRound }: HousekeepingTask): Promise<void> => {
    let total = 0;
    try {
      for (;;) {
        const done = await run();
        total += done;
        if (done < fullRound || stopped.signal.aborted) break;
      }
      if (total > 0) log.info('housekeeping_done', { task: name, count: total });
    } catch (error) {
      log.error('housekeeping_failed', { task: name, error });
    }
  };
  const loop = async (): Promise<void> => {
    await sleep(firstAfterMs, undefined, { signal: stopped.signal });
    for (;;) {
      for (const task of tasks) if (!stopped.signal.aborted) await runTask(task);
      await sleep(everyMs, undefined, { signal: stopped.signal });
    }
  };
  const done = loop().catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await done;
    },
  };
}
