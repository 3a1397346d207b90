import { z } from 'zod';
import { type Actor, admit, defineQuery } from '#access';
import type { Database } from '#platform/postgres';
import { type AuditEvent, chainHash, chainStart } from './audit-event.ts';
import { listEvents } from './audit-store.ts';

/** Cursor: the sequence number of the last row of the page before. */
const listAuditEvents = defineQuery({
  name: 'auditEvents',
  summary: 'Who did what, newest first.',
  permission: 'GeneralSettingsRead',
  input: z.strictObject({
    cursor: z
      .string()
      .regex(/^\d{1,15}$/, 'is not a cursor of this list')
      .nullish(),
    pageSize: z.number().int().min(1).max(200).nullish(),
  }),
});

export const auditOperations = [listAuditEvents] as const;

export type AuditPage = { readonly events: readonly AuditEvent[]; readonly endCursor: string | null };

export type AuditService = {
  list(actor: Actor, input: unknown): Promise<AuditPage>;
  /** Sequence number of the first row that does not follow from the one before, or undefined when the chain is whole. */
  findBreak(tenantId: string): Promise<number | undefined>;
};

export function createAuditService(deps: { readonly database: Database }): AuditService {
  return {
    async list(actor, input) {
      const { cursor, pageSize } = admit(actor, listAuditEvents, input);
      const limit = pageSize ?? 50;
      const before = cursor ? { before: Number(cursor) } : {};
      const events = await deps.database.withTenant(actor.tenantId, (tx) =>
        listEvents(tx, { ...before, limit: limit + 1 }),
      );
      const page = events.slice(0, limit).map(({ hash: _hash, ...event }) => event);
      return { events: page, endCursor: events.length > limit ? String(page.at(-1)?.sequence) : null };
    },
    findBreak: (tenantId) =>
      deps.database.withTenant(tenantId, async (tx) => {
        const events = (await listEvents(tx, { limit: 1_000_000 })).toReversed();
        let previous: Uint8Array = chainStart;
        for (const [index, { hash, ...event }] of events.entries()) {
          const isNext = event.sequence === index + 1;
          if (!isNext || !chainHash(previous, event).equals(hash)) return event.sequence;
          previous = hash;
        }
        return undefined;
      }),
  };
}
