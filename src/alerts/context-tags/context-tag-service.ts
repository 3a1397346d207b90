import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError, notFound } from '#platform/errors';
import type { Database } from '#platform/postgres';
import {
  alertContextTags,
  createAlertContextTag,
  deleteAlertContextTag,
  renameAlertContextTag,
} from './context-tag-operations.ts';
import { deleteTagRow, insertTag, listTags, replaceTagOnAlerts } from './context-tag-store.ts';

type ContextTag = { readonly tag: string; readonly category: string; readonly managed: boolean };

type ContextTagPage = { readonly tags: readonly ContextTag[]; readonly endCursor: string | null };

/** The vocabulary of tags that alerts of a tenant can carry. All are the tenant's own so far. */
export type ContextTagService = {
  list(actor: Actor, input: unknown): Promise<ContextTagPage>;
  create(actor: Actor, input: unknown): Promise<void>;
  rename(actor: Actor, input: unknown): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(actor: Actor, input: unknown): Promise<void>;
};

const taken = (tag: string) =>
  new DomainError('conflict', { field: 'tag', publicMessage: `There is a tag "${tag}" already.` });

export function createContextTagService({
  database,
  audit,
}: {
  readonly database: Database;
  readonly audit: AuditRecorder;
}): ContextTagService {
  return {
    async list(actor, input) {
      const { cursor, pageSize, managed } = admit(actor, alertContextTags, input);
      if (managed === true) return { tags: [], endCursor: null };
      const size = pageSize ?? 2000;
      const found = await database.withTenant(actor.tenantId, (tx) => listTags(tx, cursor ?? '', size + 1));
      const tags = found.slice(0, size).map((tag) => ({ tag, category: 'custom', managed: false }));
      return { tags, endCursor: found.length > size ? (tags.at(-1)?.tag ?? null) : null };
    },
    async create(actor, input) {
      const { tag } = admit(actor, createAlertContextTag, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await insertTag(tx, tag))) throw taken(tag);
        await audit.record(tx, actor, createAlertContextTag, { target: { kind: 'context tag', id: tag } });
      });
    },
    async rename(actor, input) {
      const { tag, to } = admit(actor, renameAlertContextTag, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteTagRow(tx, tag))) throw notFound('tag', tag);
        if (!(await insertTag(tx, to))) throw taken(to);
        const alerts = await replaceTagOnAlerts(tx, tag, to);
        await audit.record(tx, actor, renameAlertContextTag, {
          target: { kind: 'context tag', id: tag },
          parameters: { to, alerts },
        });
      });
    },
    async delete(actor, input) {
      const { tag } = admit(actor, deleteAlertContextTag, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteTagRow(tx, tag))) return;
        const alerts = await replaceTagOnAlerts(tx, tag, null);
        await audit.record(tx, actor, deleteAlertContextTag, {
          target: { kind: 'context tag', id: tag },
          parameters: { alerts },
        });
      });
    },
  };
}
