import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput } from '#platform/errors';
import type { Database } from '#platform/postgres';
import { effectiveRetention, type OwnRetention, type RetentionLimits } from './retention.ts';
import { retention, updateRetention } from './retention-operations.ts';
import { findRetention, saveRetention } from './retention-store.ts';

type Retention = {
  readonly effective: RetentionLimits;
  readonly own: OwnRetention;
  readonly limits: RetentionLimits;
};

export type RetentionService = {
  find(actor: Actor, input: unknown): Promise<Retention>;
  /** Replaces the organization's choices; what is left out follows the deployment again. */
  update(actor: Actor, input: unknown): Promise<Retention>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly limits: RetentionLimits };

const names = ['rawDays', 'eventDays', 'deliveryLogDays'] as const;

export function createRetentionService({ database, audit, limits }: Deps): RetentionService {
  const describe = (own: OwnRetention): Retention => ({ own, limits, effective: effectiveRetention(own, limits) });
  return {
    async find(actor, input) {
      admit(actor, retention, input);
      return describe(await database.withTenant(actor.tenantId, findRetention));
    },
    async update(actor, input) {
      const wanted = admit(actor, updateRetention, input);
      const own = {
        rawDays: wanted.rawDays ?? null,
        eventDays: wanted.eventDays ?? null,
        deliveryLogDays: wanted.deliveryLogDays ?? null,
      };
      for (const name of names)
        if ((own[name] ?? 0) > limits[name])
          throw badInput(name, `${name}: this deployment keeps at most ${limits[name]} days`);
      await database.withTenant(actor.tenantId, async (tx) => {
        await saveRetention(tx, own);
        await audit.record(tx, actor, updateRetention, {
          target: { kind: 'organization', id: actor.tenantId },
          parameters: own,
        });
      });
      return describe(own);
    },
  };
}
