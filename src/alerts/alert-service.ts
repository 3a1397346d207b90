import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import type { LakePage, LakeReader } from '#lake';
import type { Clock } from '#platform/clock';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { parseJson } from '#platform/json';
import { sendInTransaction } from '#platform/jobs';
import type { Database, TenantTx } from '#platform/postgres';
import type { Alert, AlertComment, AlertId } from './alert.ts';
import { deliverAlertJob } from './alert-jobs.ts';
import { cursorOf, listAlerts } from './alert-list-store.ts';
import {
  alert,
  alertEvents,
  alertParts,
  alerts,
  createAlertComment,
  retryDelivery,
  updateAlertsAssigneeByEmail,
  updateAlertsAssigneeById,
  updateAlerts,
  updateAlertStatusById,
} from './alert-operations.ts';
import {
  findAlert,
  findAlerts,
  findContexts,
  lockAlerts,
  patchAlertRows,
  updateAssignee,
  updateStatus,
} from './alert-store.ts';
import { insertComment, listComments } from './comments/comment-store.ts';
import { unknownTags } from './context-tags/context-tag-store.ts';
import { attemptsMax, type Delivery, type DeliveryAttempt } from './delivery/delivery.ts';
import { findDelivery, listAttemptsOf, listDeliveriesOf, rescheduleDelivery } from './delivery/delivery-store.ts';
import { findDestination } from './destinations/destination-store.ts';
import { cleanText, getReadable, isReadable } from './readable-alert.ts';

export type AlertPage = {
  readonly alerts: readonly Alert[];
  /** Null on the first page. */
  readonly startCursor: string | null;
  /** Null on the last page. */
  readonly endCursor: string | null;
};

/**
 * Alerts of the actor's tenant. An alert of which the actor may not read every log type does not exist for them. Bulk
 * changes happen to all the given alerts or to none.
 */
export type AlertService = {
  list(actor: Actor, input: unknown): Promise<AlertPage>;
  get(actor: Actor, input: unknown): Promise<Alert>;
  listEvents(actor: Actor, input: unknown): Promise<LakePage>;
  updateStatus(actor: Actor, input: unknown): Promise<readonly Alert[]>;
  updateAssigneeById(actor: Actor, input: unknown): Promise<readonly Alert[]>;
  updateAssigneeByEmail(actor: Actor, input: unknown): Promise<readonly Alert[]>;
  /** Several kinds of change in one. Tags must be in the tenant's list. */
  patch(actor: Actor, input: unknown): Promise<readonly Alert[]>;
  createComment(actor: Actor, input: unknown): Promise<AlertComment>;
  /** Parts of several alerts at once, for loaders; alerts the actor may not read have none. */
  listComments(actor: Actor, input: unknown): Promise<readonly AlertComment[]>;
  /** What the detections' alert_context() gave, parsed: numbers beyond 2^53 lose digits here. */
  listContexts(actor: Actor, input: unknown): Promise<readonly AlertContext[]>;
  listDeliveries(actor: Actor, input: unknown): Promise<readonly Delivery[]>;
  /** The delivery log: one line per attempt. */
  listDeliveryAttempts(actor: Actor, input: unknown): Promise<readonly DeliveryAttempt[]>;
  retryDelivery(actor: Actor, input: unknown): Promise<Delivery>;
};

type AlertContext = { readonly alertId: AlertId; readonly context: unknown };

/** What alerts need to know of users. */
export type Assignees = {
  exists(tx: TenantTx, userId: string): Promise<boolean>;
  findIdByEmail(tx: TenantTx, email: string): Promise<string | undefined>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly lake: Pick<LakeReader, 'alertEvents'>;
  readonly assignees: Assignees;
};

const commentsMax = 1000;

/** Runs a change over alerts of which each must exist; answers them in the order of the ids. */
async function changeAll(
  { database }: Deps,
  actor: Actor,
  ids: readonly AlertId[],
  change: (tx: TenantTx, ids: readonly AlertId[], before: readonly Alert[]) => Promise<void>,
): Promise<readonly Alert[]> {
  const wanted = [...new Set(ids)];
  return database.withTenant(actor.tenantId, async (tx) => {
    const before = await lockAlerts(tx, wanted);
    const found = wanted.map((id) => {
      const known = before.get(id);
      if (known === undefined || !isReadable(actor, known)) throw notFound('alert', id);
      return known;
    });
    await change(tx, wanted, found);
    const after = await lockAlerts(tx, wanted);
    return wanted.flatMap((id) => after.get(id) ?? []);
  });
}

async function assign(
  deps: Deps,
  actor: Actor,
  operation: typeof updateAlertsAssigneeById | typeof updateAlertsAssigneeByEmail,
  ids: readonly AlertId[],
  findAssignee: (tx: TenantTx) => Promise<string | null>,
): Promise<readonly Alert[]> {
  return changeAll(deps, actor, ids, async (tx, wanted) => {
    const assigneeId = await findAssignee(tx);
    await updateAssignee(tx, wanted, assigneeId, { by: actor, at: deps.clock.now() });
    await deps.audit.record(tx, actor, operation, { parameters: { ids: wanted, assigneeId } });
  });
}

async function patch(deps: Deps, actor: Actor, input: unknown): Promise<readonly Alert[]> {
  const { ids, ...wanted } = admit(actor, updateAlerts, input);
  return changeAll(deps, actor, ids, async (tx, alertIds) => {
    const { assigneeId, contextTags } = wanted;
    if (assigneeId && !(await deps.assignees.exists(tx, assigneeId)))
      throw badInput('assignee', `assignee: there is no user "${assigneeId}"`);
    const unknown = contextTags ? await unknownTags(tx, contextTags) : [];
    if (unknown.length > 0)
      throw badInput('contextTags', `contextTags: there is no tag "${unknown.join('", "')}"; add it first`);
    const tags = contextTags && { contextTags: [...new Set(contextTags)] };
    await patchAlertRows(tx, alertIds, { ...wanted, ...tags }, { by: actor, at: deps.clock.now() });
    await deps.audit.record(tx, actor, updateAlerts, { parameters: { ids: alertIds, ...wanted } });
  });
}

async function list({ database }: Deps, actor: Actor, input: unknown): Promise<AlertPage> {
  const wanted = admit(actor, alerts, input);
  const size = wanted.pageSize ?? 25;
  const found = await listAlerts(database.readTenant(actor.tenantId), wanted, actor.logTypeAccess, size + 1);
  const page = found.slice(0, size);
  const [first, last] = [page.at(0), page.at(-1)];
  return {
    alerts: page,
    startCursor: wanted.cursor && first ? cursorOf(first) : null,
    endCursor: found.length > size && last ? cursorOf(last) : null,
  };
}

async function listEvents({ database, lake }: Deps, actor: Actor, input: unknown): Promise<LakePage> {
  const { alertId, cursor, pageSize } = admit(actor, alertEvents, input);
  const found = await database.withTenant(actor.tenantId, (tx) => getReadable(tx, actor, alertId));
  if (found.firstEventAt === null || found.lastEventAt === null) return { rows: [], endCursor: null };
  const window = { from: found.firstEventAt, to: found.lastEventAt };
  const page = { size: pageSize ?? 25, ...(cursor ? { cursor } : {}) };
  const family = found.type === 'RULE_ERROR' ? 'rule_errors' : 'rule_matches';
  return lake.alertEvents(actor.tenantId, { id: alertId, family }, window, page);
}

async function retry({ database, audit, clock }: Deps, actor: Actor, input: unknown): Promise<Delivery> {
  const { id } = admit(actor, retryDelivery, input);
  return database.withTenant(actor.tenantId, async (tx) => {
    const delivery = await findDelivery(tx, id);
    if (delivery === undefined) throw notFound('delivery', id);
    const found = await findAlert(tx, delivery.alertId);
    if (found === undefined || !isReadable(actor, found)) throw notFound('delivery', id);
    if ((await findDestination(tx, delivery.destinationId)) === undefined)
      throw new DomainError('conflict', { publicMessage: 'The destination of this delivery was deleted.' });
    await rescheduleDelivery(tx, id, clock.now(), attemptsMax);
    await sendInTransaction(tx, deliverAlertJob, { tenantId: actor.tenantId, deliveryId: id });
    await audit.record(tx, actor, retryDelivery, {
      target: { kind: 'delivery', id },
      parameters: { alertId: delivery.alertId, destinationId: delivery.destinationId },
    });
    const after = await findDelivery(tx, id);
    if (after === undefined) throw notFound('delivery', id);
    return after;
  });
}

/** Reads parts of those of the alerts that the actor may read. */
async function readParts<Part>(
  { database }: Deps,
  actor: Actor,
  input: unknown,
  read: (tx: TenantTx, ids: readonly AlertId[]) => Promise<readonly Part[]>,
): Promise<readonly Part[]> {
  const { alertIds } = admit(actor, alertParts, input);
  return database.withTenant(actor.tenantId, async (tx) => {
    const readable: AlertId[] = [];
    for (const known of await findAlerts(tx, alertIds)) if (isReadable(actor, known)) readable.push(known.id);
    return readable.length === 0 ? [] : read(tx, readable);
  });
}

function parseContext(text: string | null): unknown {
  try {
    return text === null ? null : parseJson(text);
  } catch {
    return text;
  }
}

async function addComment({ database, audit, clock, ids }: Deps, actor: Actor, input: unknown): Promise<AlertComment> {
  const { alertId, body, format } = admit(actor, createAlertComment, input);
  const { kind, id, name } = actor;
  const comment: AlertComment = {
    id: ids.uuid(),
    alertId,
    body: cleanText(body),
    format: format ?? 'PLAIN_TEXT',
    createdAt: clock.now(),
    createdBy: { kind, id, name },
    updatedAt: null,
    updatedBy: null,
  };
  await database.withTenant(actor.tenantId, async (tx) => {
    await getReadable(tx, actor, alertId);
    await insertComment(tx, comment);
    await audit.record(tx, actor, createAlertComment, {
      target: { kind: 'alert', id: alertId },
      parameters: { commentId: comment.id, format: comment.format },
    });
  });
  return comment;
}

export function createAlertService(deps: Deps): AlertService {
  const { database, audit, clock, assignees } = deps;
  return {
    list: (actor, input) => list(deps, actor, input),
    async get(actor, input) {
      const { id } = admit(actor, alert, input);
      return getReadable(database.readTenant(actor.tenantId), actor, id);
    },
    listEvents: (actor, input) => listEvents(deps, actor, input),
    async updateStatus(actor, input) {
      const { ids, status } = admit(actor, updateAlertStatusById, input);
      return changeAll(deps, actor, ids, async (tx, wanted, before) => {
        await updateStatus(tx, wanted, status, { by: actor, at: clock.now() });
        const previous = Object.fromEntries(before.map((known) => [known.id, known.status]));
        await audit.record(tx, actor, updateAlertStatusById, { parameters: { status, previous } });
      });
    },
    async updateAssigneeById(actor, input) {
      const { ids, assigneeId } = admit(actor, updateAlertsAssigneeById, input);
      return assign(deps, actor, updateAlertsAssigneeById, ids, async (tx) => {
        if (assigneeId && !(await assignees.exists(tx, assigneeId))) throw notFound('user', assigneeId);
        return assigneeId ?? null;
      });
    },
    async updateAssigneeByEmail(actor, input) {
      const { ids, assigneeEmail } = admit(actor, updateAlertsAssigneeByEmail, input);
      return assign(deps, actor, updateAlertsAssigneeByEmail, ids, async (tx) => {
        if (!assigneeEmail) return null;
        const found = await assignees.findIdByEmail(tx, assigneeEmail);
        if (found === undefined)
          throw badInput('assigneeEmail', `assigneeEmail: there is no user with the address "${assigneeEmail}"`);
        return found;
      });
    },
    patch: (actor, input) => patch(deps, actor, input),
    createComment: (actor, input) => addComment(deps, actor, input),
    listComments: (actor, input) => readParts(deps, actor, input, (tx, ids) => listComments(tx, ids, commentsMax)),
    listContexts: (actor, input) =>
      readParts(deps, actor, input, async (tx, ids) =>
        (await findContexts(tx, ids)).map(({ alertId, text }) => ({ alertId, context: parseContext(text) })),
      ),
    listDeliveries: (actor, input) => readParts(deps, actor, input, listDeliveriesOf),
    listDeliveryAttempts: (actor, input) => readParts(deps, actor, input, listAttemptsOf),
    retryDelivery: (actor, input) => retry(deps, actor, input),
  };
}
