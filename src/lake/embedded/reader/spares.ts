import type { Log } from '#platform/log';
import type { ReaderProcess } from './reader-process.ts';

type Deps = {
  readonly count: number;
  /** Starts one; it is of use when `ready()` has settled. */
  start(): ReaderProcess;
  readonly log: Pick<Log, 'warn'>;
};

export type Spares = {
  /** How many are ready. */
  waiting(): number;
  /** One that is ready, if any; it is the caller's from now on. */
  take(): ReaderProcess | undefined;
  /** Makes up for those that were taken, one after the other, in the background. */
  refill(): void;
  /** Ends all that were not taken, and waits for it. */
  close(): Promise<void>;
};

const firstPauseMs = 1000;
const pauseMsMax = 60_000;

/**
 * Keeps started readers that belong to nobody yet. There are never more than `count`, each is given away once, and one
 * that dies is replaced. While none can be started it tries again after a second, later after a minute.
 */
export function keepSpares({ count, start, log }: Deps): Spares {
  const ready = new Set<ReaderProcess>();
  let starting: ReaderProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = firstPauseMs;
  let isClosed = false;

  const admit = async (reader: ReaderProcess): Promise<void> => {
    try {
      await reader.ready();
      pauseMs = firstPauseMs;
      ready.add(reader);
      void reader.exited.then(() => {
        if (ready.delete(reader)) later();
      });
    } catch (error) {
      reader.end();
      if (!isClosed) log.warn('spare_reader_failed', { error, againInMs: pauseMs });
      later();
    }
  };
  const refill = (): void => {
    if (isClosed || starting !== undefined || timer !== undefined || ready.size >= count) return;
    const reader = start();
    starting = reader;
    void admit(reader).finally(() => {
      starting = undefined;
      if (isClosed) reader.end();
      else refill();
    });
  };
  function later(): void {
    if (isClosed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      refill();
    }, pauseMs).unref();
    pauseMs = Math.min(pauseMs * 2, pauseMsMax);
  }

  refill();
  return {
    refill,
    waiting: () => ready.size,
    take() {
      const [reader] = ready;
      if (reader !== undefined) ready.delete(reader);
      return reader;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const all = [...ready, ...(starting === undefined ? [] : [starting])];
      ready.clear();
      for (const reader of all) reader.end();
      await Promise.all(all.map(({ exited }) => exited));
    },
  };
}
