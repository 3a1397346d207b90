import { openPlatform, type Platform } from '../parts.ts';
import type { RoleName, Runtime, Started } from '../runtime.ts';
import { startApi } from './api.ts';
import { startScheduler } from './scheduler.ts';
import { startWorker } from './worker.ts';

const followEveryMs = 30_000;

/** Keeps the process on the time that all share; says when this machine's own clock is off. */
async function keepTime({ clock, log }: Platform): Promise<Started> {
  const follow = async (): Promise<void> => {
    const offMs = await clock.follow();
    if (Math.abs(offMs) > 2000) log.warn('clock_is_off', { offMs: Math.round(offMs) });
  };
  const tolerant = () => follow().catch((error: unknown) => log.warn('clock_not_compared', { error }));
  await tolerant();
  const timer = setInterval(() => void tolerant(), followEveryMs);
  return { stop: async () => clearInterval(timer) };
}

/** Starts what a process was told to be. They share one set of connections and stop in reverse order. */
export async function startRoles(runtime: Runtime): Promise<Started> {
  const platform = openPlatform(runtime);
  const has = (role: RoleName) => runtime.roles.includes(role);
  const started: Started[] = [await keepTime(platform)];
  if (has('worker')) started.push(await startWorker(runtime, platform));
  if (has('scheduler')) started.push(await startScheduler(runtime, platform));
  if (has('api') || has('ingest'))
    started.push(await startApi(runtime, platform, { servesApi: has('api'), takesLogs: has('ingest') }));
  return {
    async stop() {
      for (const part of started.toReversed()) await part.stop();
      await platform.close();
    },
  };
}
