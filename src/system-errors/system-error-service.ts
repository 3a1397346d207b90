import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { badInput, notFound } from '#platform/errors';
import { type Ids, isUuid } from '#platform/ids';
import { sendInTransaction } from '#platform/jobs';
import type { Database, TenantTx } from '#platform/postgres';
import type { SystemError, SystemErrorType } from './system-error.ts';
import { systemErrorRaisedJob } from './system-error-jobs.ts';
import { resolveSystemError, systemErrors } from './system-error-operations.ts';
import {
  findSystemError,
  listSystemErrors,
  type NewOccurrence,
  resolveById,
  resolveBySubject,
  upsertSystemError,
} from './system-error-store.ts';

export type SystemErrorRecorder = {
  /**
   * Records trouble in the caller's transaction. The first occurrence also sends a job, from which an alert is made;
   * further ones only count until the entry is resolved.
   */
  record(tx: TenantTx, occurrence: Omit<NewOccurrence, 'id' | 'at'>): Promise<void>;
  /** The trouble is over, as far as the product can see. */
  resolve(tx: TenantTx, type: SystemErrorType, subjectId: string): Promise<void>;
  find(tx: TenantTx, id: string): Promise<SystemError | undefined>;
};

export type SystemErrorPage = { readonly systemErrors: readonly SystemError[]; readonly endCursor: string | null };

export type SystemErrorService = {
  list(actor: Actor, input: unknown): Promise<SystemErrorPage>;
  resolve(actor: Actor, input: unknown): Promise<SystemError>;
};

const textMax = 1000;

export function createSystemErrorRecorder({
  clock,
  ids,
}: {
  readonly clock: Clock;
  readonly ids: Ids;
}): SystemErrorRecorder {
  return {
    async record(tx, { message, subjectName, ...occurrence }) {
      const stored = await upsertSystemError(tx, {
        ...occurrence,
        message: message.slice(0, textMax),
        subjectName: subjectName.slice(0, textMax),
        id: ids.uuid(),
        at: clock.now(),
      });
      if (stored.occurrences === 1)
        await sendInTransaction(tx, systemErrorRaisedJob, { tenantId: tx.tenantId, systemErrorId: stored.id });
    },
    async resolve(tx, type, subjectId) {
      await resolveBySubject(tx, type, subjectId, clock.now());
    },
    find: findSystemError,
  };
}

function parseCursor(text: string) {
  const [time = '', id = ''] = Buffer.from(text, 'base64url').toString().split(' ');
  const lastSeenAt = new Date(time);
  if (Number.isNaN(lastSeenAt.getTime()) || !isUuid(id))
    throw badInput('cursor', 'cursor: is not a cursor of this list');
  return { lastSeenAt, id };
}

const cursorOf = ({ lastSeenAt, id }: SystemError): string =>
  Buffer.from(`${lastSeenAt.toISOString()} ${id}`).toString('base64url');

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly clock: Clock };

export function createSystemErrorService({ database, audit, clock }: Deps): SystemErrorService {
  return {
    async list(actor, input) {
      const { cursor, isResolved, pageSize } = admit(actor, systemErrors, input);
      const size = pageSize ?? 25;
      const found = await database.withTenant(actor.tenantId, (tx) =>
        listSystemErrors(tx, {
          isResolved: isResolved ?? undefined,
          after: cursor ? parseCursor(cursor) : undefined,
          limit: size + 1,
        }),
      );
      const page = found.slice(0, size);
      const last = page.at(-1);
      return { systemErrors: page, endCursor: found.length > size && last !== undefined ? cursorOf(last) : null };
    },
    async resolve(actor, input) {
      const { id } = admit(actor, resolveSystemError, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        await resolveById(tx, id, clock.now());
        const found = await findSystemError(tx, id);
        if (found === undefined) throw notFound('system error', id);
        await audit.record(tx, actor, resolveSystemError, { target: { kind: 'system error', id } });
        return found;
      });
    },
  };
}
