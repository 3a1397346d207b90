import { z } from 'zod';
import { type Alert, alertOperations, contextTag, updateAlerts } from '#alerts';
import { badInput } from '#platform/errors';
import { alertBody, alertShape } from './alert-shape.ts';
import { integer, limit, list, optional, optionalText, textList, type ValuesOf } from './query.ts';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { listOf, pageOf, qualityNames, severityNames, statusNames } from './shapes.ts';

const operation = operationIn(alertOperations);

const dayMs = 86_400_000;

/** RFC 3339, a day, a month, or seconds since 1970. */
function momentOf(name: string, text: string): Date {
  const date = /^\d{1,12}$/.test(text)
    ? new Date(Number(text) * 1000)
    : /^\d{4}-\d\d(-\d\d)?(T[\d:.]+(Z|[+-]\d\d:?\d\d))?$/i.test(text)
      ? new Date(text)
      : new Date(Number.NaN);
  if (Number.isNaN(date.getTime()))
    throw badInput(name, `${name}: is a time such as 2025-01-01T15:04:05Z, 2025-01-01, 2025-01 or 1672531200`);
  return date;
}

const types = z.enum(['ALERT', 'DETECTION_ERROR', 'SYSTEM_ERROR']);
const subtypes = z.enum([
  'RULE',
  'RULE_ERROR',
  'SCHEDULED_RULE',
  'SCHEDULED_RULE_ERROR',
  'POLICY',
  'SYSTEM_ERROR',
  'CORRELATION_RULE',
  'CORRELATION_RULE_ERROR',
]);

const listQuery = {
  type: optional(types, 'Which kind of list; ALERT when absent.'),
  'sub-type': list(subtypes, 'Kinds within it.'),
  cursor: optionalText('`next` of the page before.'),
  limit: limit({ usual: 25, max: 50 }),
  'created-after': optionalText('RFC 3339, a day, a month or seconds since 1970; 30 days ago when absent.'),
  'created-before': optionalText('In the same forms; now when absent.'),
  'detection-id': optionalText('Of this detection.'),
  'sort-dir': optional(z.enum(['asc', 'desc']), 'By time of creation; desc when absent.'),
  'name-contains': optionalText('Part of the title, in any case.'),
  'log-source': textList('Ids of log sources.'),
  'log-type': textList('Names of log types.'),
  'resource-type': textList('Names of resource types.'),
  status: list(statusNames, 'In one of these states.'),
  severity: list(severityNames, 'Of one of these severities.'),
  assignee: textList('Ids of users.'),
  'event-count-min': integer({ min: 0, max: Number.MAX_SAFE_INTEGER }, 'At least so many events.'),
  'event-count-max': integer({ min: 0, max: Number.MAX_SAFE_INTEGER }, 'At most so many events.'),
  quality: list(qualityNames, 'Rated so.'),
  'context-tag': list(contextTag, 'With one of these tags.'),
};

const subtypesOf = {
  ALERT: ['RULE', 'SCHEDULED_RULE', 'POLICY', 'CORRELATION_RULE'],
  DETECTION_ERROR: ['RULE_ERROR', 'SCHEDULED_RULE_ERROR', 'CORRELATION_RULE_ERROR'],
  SYSTEM_ERROR: ['SYSTEM_ERROR'],
};

/** Filters as the use case takes them; undefined when nothing can fit. */
function filtersOf(query: ValuesOf<typeof listQuery>) {
  const type = query.type ?? 'ALERT';
  const wanted = query['sub-type'];
  const fitting = wanted.filter((name) => subtypesOf[type].includes(name) && !name.startsWith('CORRELATION'));
  if (wanted.length > 0 && fitting.length === 0) return undefined;
  const after = query['created-after'];
  const before = query['created-before'];
  return {
    type,
    subtypes: type === 'SYSTEM_ERROR' ? [] : fitting,
    cursor: query.cursor,
    pageSize: query.limit,
    createdAtAfter: after ? momentOf('created-after', after) : new Date(Date.now() - 30 * dayMs),
    createdAtBefore: before ? momentOf('created-before', before) : new Date(),
    detectionId: query['detection-id'],
    sortDir: query['sort-dir'] === 'asc' ? 'ascending' : 'descending',
    nameContains: query['name-contains'],
    logSources: query['log-source'],
    logTypes: query['log-type'],
    resourceTypes: query['resource-type'],
    statuses: [...new Set(query.status)],
    severities: [...new Set(query.severity)],
    assigneeIds: query.assignee,
    eventCountMin: query['event-count-min'],
    eventCountMax: query['event-count-max'],
    qualities: [...new Set(query.quality)],
    contextTags: query['context-tag'],
  };
}

/** Alerts with what the answer needs beside them, asked for all at once. */
async function bodiesOf(alerts: readonly Alert[], { actor, services }: Caller) {
  const alertIds = alerts.map(({ id }) => id);
  if (alertIds.length === 0) return [];
  const contexts = new Map(
    (await services.alerts.listContexts(actor, { alertIds })).map(({ alertId, context }) => [alertId, context]),
  );
  const attempts = Map.groupBy(
    await services.alerts.listDeliveryAttempts(actor, { alertIds }),
    ({ alertId }) => alertId,
  );
  return alerts.map((alert) => alertBody(alert, contexts.get(alert.id), attempts.get(alert.id) ?? []));
}

const patch = z.object({
  status: statusNames.optional(),
  assignee: z.string().max(200).optional().meta({ description: 'Id of a user; empty: nobody.' }),
  quality: z.union([qualityNames, z.literal('')]).optional(),
  contextTags: z.array(contextTag).max(10, 'takes at most 10 tags').optional(),
});

function changesOf({ status, assignee, quality, contextTags }: z.output<typeof patch>) {
  if (assignee && !z.uuid().safeParse(assignee).success)
    throw badInput('assignee', `assignee: "${assignee}" is not the id of a user`);
  return {
    status,
    assigneeId: assignee === '' ? null : assignee,
    quality: quality === '' ? null : quality,
    contextTags,
  };
}

export const alertRoutes = [
  defineRoute({
    id: 'alert#list',
    method: 'GET',
    path: '/alerts',
    summary: 'Alerts that fit the filters, newest first.',
    operation: operation('alerts'),
    query: listQuery,
    answers: { 200: listOf(alertShape) },
    errors: [400],
    async handle({ query }, caller) {
      const filters = filtersOf(query);
      if (filters === undefined) return pageOf([], null);
      const { alerts, endCursor } = await caller.services.alerts.list(caller.actor, filters);
      return pageOf(await bodiesOf(alerts, caller), endCursor);
    },
  }),
  defineRoute({
    id: 'alert#bulkPatch',
    method: 'PATCH',
    path: '/alerts',
    summary: 'Changes many alerts at once; all of them or none.',
    operation: updateAlerts,
    body: patch.extend({ ids: z.array(z.string().max(200)).min(1, 'needs one alert or more').max(100) }),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ body: { ids, ...changes } }, { actor, services }) {
      await services.alerts.patch(actor, { ids, ...changesOf(changes) });
      return { status: 204 };
    },
  }),
  defineRoute({
    id: 'alert#get',
    method: 'GET',
    path: '/alerts/{id}',
    summary: 'One alert.',
    operation: operation('alert'),
    answers: { 200: alertShape },
    errors: [400, 404],
    async handle({ params }, caller) {
      const alert = await caller.services.alerts.get(caller.actor, { id: params['id'] });
      return { status: 200, body: (await bodiesOf([alert], caller))[0] };
    },
  }),
  defineRoute({
    id: 'alert#patch',
    method: 'PATCH',
    path: '/alerts/{id}',
    summary: 'Changes one alert; what is absent stays.',
    operation: updateAlerts,
    body: patch,
    answers: { 200: null },
    errors: [400, 404],
    async handle({ params, body }, { actor, services }) {
      await services.alerts.patch(actor, { ids: [params['id']], ...changesOf(body) });
      return { status: 200 };
    },
  }),
  defineRoute({
    id: 'alert#events',
    method: 'GET',
    path: '/alerts/{id}/events',
    summary: 'Events of an alert, as they are in the lake.',
    operation: operation('alert'),
    query: { cursor: optionalText('`next` of the page before.'), limit: limit({ usual: 25, max: 50 }) },
    answers: { 200: listOf(z.unknown()) },
    errors: [400, 404],
    async handle({ params, query }, { actor, services }) {
      const input = { alertId: params['id'], cursor: query.cursor, pageSize: query.limit };
      const { rows, endCursor } = await services.alerts.listEvents(actor, input);
      return pageOf(rows, endCursor);
    },
  }),
];
