import { type Actor, admit, type LogTypeAccess, mayReadLogType } from '#access';
import type { AuditRecorder } from '#audit';
import type { LakePage, LakeReader } from '#lake';
import type { Clock } from '#platform/clock';
import { badInput, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { Database, TenantTx } from '#platform/postgres';
import type { Alert, AlertType } from './alert.ts';
import { alert, alerts, createAlertComment, updateAlertStatusById } from './alert-operations.ts';
import {
  type AlertComment,
  type AlertFilter,
  type AlertPosition,
  findAlert,
  findAlerts,
  insertComment,
  listAlerts,
  listComments,
  updateStatus,
} from './alert-store.ts';
import type { Delivery } from './delivery/delivery.ts';
import { listDeliveries } from './delivery/delivery-store.ts';

export type AlertPage = { readonly alerts: readonly Alert[]; readonly endCursor: string | null };

export type AlertService = {
  list(actor: Actor, input: unknown): Promise<AlertPage>;
  get(actor: Actor, input: unknown): Promise<Alert>;
  updateStatus(actor: Actor, input: unknown): Promise<readonly Alert[]>;
  comment(actor: Actor, input: unknown): Promise<AlertComment>;
  /** Events of an alert that the actor was allowed to read, oldest first. */
  events(actor: Actor, of: Alert, page: { readonly cursor?: string; readonly size: number }): Promise<LakePage>;
  commentsOf(actor: Actor, alertIds: readonly string[]): Promise<readonly AlertComment[]>;
  deliveriesOf(actor: Actor, alertIds: readonly string[]): Promise<readonly Delivery[]>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly lake: Pick<LakeReader, 'alertEvents'>;
};

const typesOf: Readonly<Record<'ALERT' | 'DETECTION_ERROR' | 'SYSTEM_ERROR', readonly AlertType[]>> = {
  ALERT: ['RULE'],
  DETECTION_ERROR: ['RULE_ERROR'],
  SYSTEM_ERROR: [],
};

const cursorOf = ({ createdAt, id }: AlertPosition): string =>
  Buffer.from(JSON.stringify([createdAt.toISOString(), id])).toString('base64url');

function parseCursor(cursor: string): AlertPosition {
  try {
    const [time, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const createdAt = new Date(String(time));
    if (typeof id === 'string' && !Number.isNaN(createdAt.getTime())) return { createdAt, id };
  } catch {
    // Falls through to the one answer for every broken cursor.
  }
  throw badInput('cursor', 'cursor: is not a cursor of this list; send the endCursor of the page before');
}

function visibility(access: LogTypeAccess): Pick<AlertFilter, 'visibleLogTypes' | 'hiddenLogTypes'> {
  switch (access.kind) {
    case 'ALLOW_ALL':
      return {};
    case 'DENY_ALL':
      return { visibleLogTypes: [] };
    case 'ALLOW':
      return { visibleLogTypes: [...access.logTypes] };
    case 'DENY':
      return { hiddenLogTypes: [...access.logTypes] };
  }
}

const isVisible = (actor: Actor, { logTypes }: Alert): boolean =>
  logTypes.every((logType) => mayReadLogType(actor.logTypeAccess, logType));

async function getVisible(tx: TenantTx, actor: Actor, id: string): Promise<Alert> {
  const found = await findAlert(tx, id);
  if (found === undefined || !isVisible(actor, found)) throw notFound('alert', id);
  return found;
}

async function list({ database }: Deps, actor: Actor, input: unknown): Promise<AlertPage> {
  const wanted = admit(actor, alerts, input);
  const limit = wanted.pageSize ?? 25;
  const given = <T>(name: string, value: T | null | undefined) =>
    value === null || value === undefined ? {} : { [name]: value };
  const filter: AlertFilter = {
    type: typesOf[wanted.type ?? 'ALERT'],
    ...given('severities', wanted.severities),
    ...given('statuses', wanted.statuses),
    ...given('logTypes', wanted.logTypes),
    ...given('detectionId', wanted.detectionId),
    ...given('nameContains', wanted.nameContains),
    ...given('createdAfter', wanted.createdAtAfter),
    ...given('createdBefore', wanted.createdAtBefore),
    ...given('countMin', wanted.eventCountMin),
    ...given('countMax', wanted.eventCountMax),
    ...visibility(actor.logTypeAccess),
  };
  const after = wanted.cursor ? { after: parseCursor(wanted.cursor) } : {};
  const page = { ...after, isAscending: wanted.sortDir === 'ascending', limit: limit + 1 };
  const found = await database.withTenant(actor.tenantId, (tx) => listAlerts(tx, filter, page));
  const last = found[limit - 1];
  return { alerts: found.slice(0, limit), endCursor: found.length > limit && last ? cursorOf(last) : null };
}

export function createAlertService(deps: Deps): AlertService {
  const { database, audit, clock, ids } = deps;
  return {
    list: (actor, input) => list(deps, actor, input),
    async get(actor, input) {
      const { id } = admit(actor, alert, input);
      return database.withTenant(actor.tenantId, (tx) => getVisible(tx, actor, id));
    },
    async updateStatus(actor, input) {
      const { ids: wanted, status } = admit(actor, updateAlertStatusById, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        for (const id of wanted) await getVisible(tx, actor, id);
        await updateStatus(tx, wanted, status, clock.now());
        for (const id of wanted)
          await audit.record(tx, actor, updateAlertStatusById, {
            target: { kind: 'alert', id },
            parameters: { status },
          });
        return findAlerts(tx, wanted);
      });
    },
    async comment(actor, input) {
      const { alertId, body } = admit(actor, createAlertComment, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        await getVisible(tx, actor, alertId);
        const comment: AlertComment = {
          id: ids.uuid(),
          alertId,
          body,
          authorKind: actor.kind,
          authorId: actor.id,
          authorName: actor.name,
          createdAt: clock.now(),
        };
        await insertComment(tx, comment);
        await audit.record(tx, actor, createAlertComment, { target: { kind: 'alert', id: alertId } });
        return comment;
      });
    },
    events: (actor, of, page) =>
      deps.lake.alertEvents(
        actor.tenantId,
        of.id,
        { from: new Date(of.firstEventAt.getTime() - 1), to: new Date(of.lastEventAt.getTime() + 1) },
        page,
      ),
    commentsOf: (actor, alertIds) => database.withTenant(actor.tenantId, (tx) => listComments(tx, alertIds)),
    deliveriesOf: (actor, alertIds) => database.withTenant(actor.tenantId, (tx) => listDeliveries(tx, alertIds)),
  };
}
