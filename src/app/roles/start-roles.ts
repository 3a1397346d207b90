import { openPlatform } from '../parts.ts';
import type { RoleName, Runtime, Started } from '../runtime.ts';
import { startApi } from './api.ts';
import { startScheduler } from './scheduler.ts';
import { startWorker } from './worker.ts';

/** Starts what a process was told to be. They share one set of connections and stop in reverse order. */
export async function startRoles(runtime: Runtime): Promise<Started> {
  const platform = openPlatform(runtime);
  const has = (role: RoleName) => runtime.roles.includes(role);
  const started: Started[] = [];
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
