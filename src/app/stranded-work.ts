import { raiseMissed } from '#alerts';
import { takeUpStranded } from '#detections';
import type { Jobs } from '#platform/jobs';
import type { HousekeepingTask } from './housekeeping.ts';
import type { Platform } from './parts.ts';

/** Work that waits in Postgres and whose job is gone: a queue may be lost, and takes away jobs that end their workers. */
export function strandedWork(
  platform: Pick<Platform, 'database' | 'objects' | 'clock'>,
  jobs: Pick<Jobs, 'enqueueAll'>,
): readonly HousekeepingTask[] {
  return [
    { name: 'stranded uploads', run: () => takeUpStranded({ ...platform, jobs }), fullRound: Infinity },
    { name: 'system errors without an alert', run: () => raiseMissed({ ...platform, jobs }), fullRound: Infinity },
  ];
}
