import type { Actor, Operation } from '#access';
import type { Clock } from '#platform/clock';
import { DomainError } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import { type AuditEvent, type AuditResult, chainHash } from './audit-event.ts';
import { insertEvent, lockHead } from './audit-store.ts';

type Recorded = {
  readonly target?: { readonly kind: string; readonly id: string };
  /** What was asked, without secrets. Values must be JSON. */
  readonly parameters?: Readonly<Record<string, unknown>>;
};

export type AuditRecorder = {
  /** Writes the row of a change, inside the transaction of that change: both happen or neither. */
  record(tx: TenantTx, actor: Actor, operation: Operation, recorded?: Recorded): Promise<void>;
  /** Same, for actions that are not operations of the API (sign-in, lockout, first start). */
  recordAction(
    tx: TenantTx,
    actor: Actor,
    action: string,
    recorded?: Recorded & { readonly result?: AuditResult; readonly error?: string },
  ): Promise<void>;
  /** Writes the FAILED row of a refused or broken change in a transaction of its own. */
  recordFailure(actor: Actor, operation: Operation, error: unknown): Promise<void>;
};

/** Control characters could fake lines in a viewer or export (OWASP ASVS 5.0, 16.4.1). */
const clean = (text: string, lengthMax: number): string =>
  // eslint-disable-next-line no-control-regex -- removing them is the purpose
  text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').slice(0, lengthMax);

export function createAuditRecorder(deps: { readonly database: Database; readonly clock: Clock }): AuditRecorder {
  const write: AuditRecorder['recordAction'] = async (tx, actor, action, recorded) => {
    const head = await lockHead(tx);
    const event: AuditEvent = {
      sequence: head.sequence + 1,
      recordedAt: deps.clock.now(),
      action,
      result: recorded?.result ?? 'SUCCEEDED',
      actorKind: actor.kind,
      actorId: actor.id,
      actorName: clean(actor.name, 200),
      targetKind: recorded?.target?.kind ?? null,
      targetId: recorded?.target === undefined ? null : clean(recorded.target.id, 500),
      parameters: recorded?.parameters ?? {},
      error: recorded?.error === undefined ? null : clean(recorded.error, 1000),
      ipAddress: actor.origin.ipAddress ?? null,
      userAgent: actor.origin.userAgent === undefined ? null : clean(actor.origin.userAgent, 500),
      traceId: actor.origin.traceId,
    };
    await insertEvent(tx, event, chainHash(head.hash, event));
  };
  const actionOf = (operation: Operation): string => {
    if (operation.audit === undefined) throw new Error(`"${operation.name}" is a query and writes no audit row.`);
    return operation.audit;
  };
  return {
    record: (tx, actor, operation, recorded) => write(tx, actor, actionOf(operation), recorded),
    recordAction: write,
    async recordFailure(actor, operation, error) {
      const text = error instanceof DomainError ? error.publicMessage : 'Internal error';
      await deps.database.withTenant(actor.tenantId, (tx) =>
        write(tx, actor, actionOf(operation), { result: 'FAILED', error: text }),
      );
    },
  };
}
