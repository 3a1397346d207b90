import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { DomainError, notFound } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import { type AlarmState, type LogSourceAlarm, stateOf } from './alarm.ts';
import { deleteLogSourceAlarm, logSourceAlarm, setLogSourceAlarm } from './alarm-operations.ts';
import { deleteAlarm, findAlarm, saveAlarm } from './alarm-store.ts';

type ShownAlarm = LogSourceAlarm & { readonly state: AlarmState };

export type AlarmService = {
  get(actor: Actor, input: unknown): Promise<ShownAlarm>;
  set(actor: Actor, input: unknown): Promise<ShownAlarm>;
  /** Also when none is set. */
  delete(actor: Actor, input: unknown): Promise<void>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly clock: Clock };

async function read(tx: TenantTx, { sourceId, type }: Pick<LogSourceAlarm, 'sourceId' | 'type'>, now: Date) {
  const found = await findAlarm(tx, sourceId, type);
  if (found === undefined)
    throw new DomainError('not_found', { publicMessage: `There is no such alarm of the log source "${sourceId}".` });
  return { ...found, state: stateOf(found, now) };
}

export function createAlarmService({ database, audit, clock }: Deps): AlarmService {
  return {
    async get(actor, input) {
      const wanted = admit(actor, logSourceAlarm, input);
      return database.withTenant(actor.tenantId, (tx) => read(tx, wanted, clock.now()));
    },
    async set(actor, input) {
      const wanted = admit(actor, setLogSourceAlarm, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        if (!(await saveAlarm(tx, { ...wanted, setAt: clock.now() }))) throw notFound('log source', wanted.sourceId);
        await audit.record(tx, actor, setLogSourceAlarm, {
          target: { kind: 'log source', id: wanted.sourceId },
          parameters: { type: wanted.type, minutesThreshold: wanted.minutesThreshold },
        });
        return read(tx, wanted, clock.now());
      });
    },
    async delete(actor, input) {
      const { sourceId, type } = admit(actor, deleteLogSourceAlarm, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteAlarm(tx, sourceId, type))) return;
        await audit.record(tx, actor, deleteLogSourceAlarm, { target: { kind: 'log source', id: sourceId } });
      });
    },
  };
}
