import type { Clock } from '#platform/clock';
import type { Ids } from '#platform/ids';
import type { Database } from '#platform/postgres';
import type { SystemErrorRecorder } from '#system-errors';
import { raiseSilent, settleOver, tenantsToLookAt } from './alarm-store.ts';

type Deps = {
  readonly database: Database;
  readonly systemErrors: Pick<SystemErrorRecorder, 'record' | 'resolve'>;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid'>;
};

const spanOf = (minutes: number): string => (minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`);

/**
 * Raises a system error for each source that is silent for longer than its alarm allows, once for one silence, and
 * resolves it when data comes again or the alarm is gone. Returns how many changed. Several processes may do it.
 */
export async function watchAlarms({ database, systemErrors, clock, ids }: Deps): Promise<number> {
  const now = clock.now();
  const tenants = await database.withSystem('alarms of all tenants are looked at', (tx) => tenantsToLookAt(tx, now));
  let changed = 0;
  for (const tenantId of tenants)
    changed += await database.withTenant(tenantId, async (tx) => {
      const silences = await raiseSilent(tx, now);
      for (const { sourceId, label, minutesThreshold } of silences)
        await systemErrors.record(tx, {
          type: 'SOURCE_NO_DATA',
          subjectId: sourceId,
          subjectName: label,
          message: `Nothing was received for more than ${spanOf(minutesThreshold)}.`,
          traceId: ids.uuid().replaceAll('-', ''),
        });
      const over = await settleOver(tx, now);
      for (const sourceId of over) await systemErrors.resolve(tx, 'SOURCE_NO_DATA', sourceId);
      return silences.length + over.length;
    });
  return changed;
}
