import type { Log } from '#platform/log';

export type Running = {
  /** Settles when it has ended, expected or not. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
};

export type Supervised = {
  stop(): Promise<void>;
};

const backOffMs = [100, 500, 2000, 5000, 15_000, 30_000];
/** A child that ran this long is healthy: its next end starts the back-off anew. */
const healthyMs = 60_000;

type Options = {
  readonly name: string;
  readonly log: Log;
  readonly start: () => Promise<Running>;
};

/** Starts something and keeps it running, waiting longer after each early end. The first start must succeed. */
export async function supervise({ name, log, start }: Options): Promise<Supervised> {
  let current = await start();
  let isStopping = false;
  let wakeUp: () => void = () => undefined;
  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const restart = async (failures: number): Promise<void> => {
    const waitMs = backOffMs[Math.min(failures, backOffMs.length - 1)] ?? 30_000;
    log.error('child_ended', { child: name, restartInMs: waitMs, failures });
    await pause(waitMs);
    if (isStopping) return;
    current = await start();
    if (isStopping) await current.stop();
  };
  const keep = async (): Promise<void> => {
    let failures = 0;
    let startedAt = performance.now();
    for (;;) {
      await current.exited.catch(() => undefined);
      if (isStopping) return;
      if (performance.now() - startedAt > healthyMs) failures = 0;
      try {
        await restart(failures);
      } catch (error) {
        log.error('child_not_started', { child: name, error });
      }
      failures += 1;
      startedAt = performance.now();
    }
  };
  const kept = keep();
  return {
    async stop() {
      isStopping = true;
      wakeUp();
      await current.stop();
      await kept;
    },
  };
}
