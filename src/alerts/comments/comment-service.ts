import { type Actor, admit, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { notFound } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import type { AlertComment } from '../alert.ts';
import { cleanText, getReadable } from '../readable-alert.ts';
import { alertComment, alertComments, updateAlertComment } from './comment-operations.ts';
import { commentCursor, findComment, pageOfComments, updateCommentRow } from './comment-store.ts';

type CommentPage = { readonly comments: readonly AlertComment[]; readonly endCursor: string | null };

/** Comments of alerts that the actor may read; others do not exist for them. */
export type CommentService = {
  list(actor: Actor, input: unknown): Promise<CommentPage>;
  get(actor: Actor, input: unknown): Promise<AlertComment>;
  update(actor: Actor, input: unknown): Promise<AlertComment>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly clock: Clock };

async function get(tx: TenantTx, actor: Actor, id: string): Promise<AlertComment> {
  const comment = await findComment(tx, id);
  if (comment === undefined) throw notFound('comment', id);
  await getReadable(tx, actor, comment.alertId).catch(() => Promise.reject(notFound('comment', id)));
  return comment;
}

export function createCommentService({ database, audit, clock }: Deps): CommentService {
  return {
    async list(actor, input) {
      const { alertId, cursor, pageSize } = admit(actor, alertComments, input);
      const size = pageSize ?? 25;
      return database.withTenant(actor.tenantId, async (tx) => {
        await getReadable(tx, actor, alertId);
        const found = await pageOfComments(tx, alertId, cursor || undefined, size + 1);
        const last = found.length > size ? found[size - 1] : undefined;
        return { comments: found.slice(0, size), endCursor: last ? commentCursor(last) : null };
      });
    },
    async get(actor, input) {
      const { id } = admit(actor, alertComment, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, actor, id));
    },
    async update(actor, input) {
      const { id, alertId, body, format } = admit(actor, updateAlertComment, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        const before = await get(tx, actor, id);
        if (before.alertId !== alertId) throw notFound('comment', id);
        await updateCommentRow(tx, { id, body: cleanText(body), format }, { by: referenceOf(actor), at: clock.now() });
        await audit.record(tx, actor, updateAlertComment, {
          target: { kind: 'alert', id: alertId },
          parameters: { commentId: id, format },
        });
        return get(tx, actor, id);
      });
    },
  };
}
