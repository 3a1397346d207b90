import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { alertStatuses, alertTypes, severities, typesByListing } from './alert.ts';
import { contextTag } from './context-tags/context-tag-operations.ts';

export const alertId = z.string().regex(/^[0-9a-f]{32}$/, 'is not the id of an alert (32 hexadecimal digits)');
const ids = z.array(alertId).min(1, 'needs one alert or more').max(100, 'takes at most 100 alerts at a time');
const few = (item: z.ZodString) => z.array(item).max(100, 'takes at most 100 values').nullish();
const some = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.array(z.enum(values)).max(values.length).nullish();
/** Postgres stores no NUL; other control characters are in no name either. */
const plainText = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax, `has more than ${lengthMax} characters`)
    .regex(/^\P{Cc}*$/u, 'may not hold control characters');
const count = z.number().int().min(0, 'must not be negative').max(Number.MAX_SAFE_INTEGER).nullish();
const cursor = z.string().max(1000, 'is not a cursor of this list').nullish();

const nonEmpty = <Value extends string>(values: readonly Value[]): readonly [Value, ...Value[]] => {
  const [first, ...rest] = values;
  if (first === undefined) throw new Error('A list of values is empty.');
  return [first, ...rest];
};

const allTypes = nonEmpty(alertTypes);

export const alerts = defineQuery({
  name: 'alerts',
  summary: 'Alerts that fit the filters, newest first unless asked otherwise.',
  permission: 'AlertRead',
  input: z
    .strictObject({
      assigneeIds: few(plainText(100)),
      contextTags: few(plainText(30)),
      createdAtAfter: z.date().nullish(),
      createdAtBefore: z.date().nullish(),
      cursor,
      detectionId: plainText(1000).nullish(),
      eventCountMin: count,
      eventCountMax: count,
      logSources: few(plainText(200)),
      logTypes: few(plainText(255)),
      nameContains: plainText(200).nullish(),
      qualities: some(['NOISE', 'USEFUL']),
      pageSize: z.number().int().min(1, 'must be between 1 and 100').max(100, 'must be between 1 and 100').nullish(),
      resourceTypes: few(plainText(255)),
      severities: some(nonEmpty(severities)),
      sortBy: z.literal('createdAt').nullish(),
      sortDir: z.enum(['ascending', 'descending']).nullish(),
      statuses: some(nonEmpty(alertStatuses)),
      subtypes: some(allTypes),
      type: z.enum(['ALERT', 'DETECTION_ERROR', 'SYSTEM_ERROR']).nullish(),
    })
    .refine((input) => input.detectionId || (input.createdAtAfter && input.createdAtBefore), {
      path: ['createdAtAfter'],
      error: 'give detectionId, or both createdAtAfter and createdAtBefore',
    })
    .superRefine(({ type, subtypes }, context) => {
      const listing = type ?? 'ALERT';
      const allowed: readonly string[] = listing === 'SYSTEM_ERROR' ? [] : typesByListing[listing];
      const wrong = (subtypes ?? []).find((subtype) => !allowed.includes(subtype));
      if (wrong === undefined) return;
      const rule = allowed.length === 0 ? 'has no subtypes' : `has the subtypes ${allowed.join(', ')}`;
      context.addIssue({
        code: 'custom',
        path: ['subtypes'],
        message: `${wrong} does not fit: type ${listing} ${rule}`,
      });
    }),
});

export type AlertsInput = z.output<typeof alerts.input>;

export const alert = defineQuery({
  name: 'alert',
  summary: 'One alert.',
  permission: 'AlertRead',
  input: z.strictObject({ id: alertId }),
});

/** Fields of alerts that are loaded on demand; not a root field of its own. */
export const alertParts = defineQuery({
  name: 'alert',
  summary: 'Comments and deliveries of alerts.',
  permission: 'AlertRead',
  input: z.strictObject({ alertIds: z.array(alertId).min(1).max(100) }),
});

/** The field `events` of an alert; not a root field of its own. */
export const alertEvents = defineQuery({
  name: 'alert',
  summary: 'Events of an alert, oldest first.',
  permission: 'AlertRead',
  input: z.strictObject({
    alertId,
    cursor,
    pageSize: z.number().int().min(1, 'must be between 1 and 50').max(50, 'must be between 1 and 50').nullish(),
  }),
});

export const updateAlertStatusById = defineMutation({
  name: 'updateAlertStatusById',
  summary: 'Sets the status of alerts; all of them change or none.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_STATUS',
  input: z.strictObject({ ids, status: z.enum(nonEmpty(alertStatuses)) }),
});

export const updateAlertsAssigneeById = defineMutation({
  name: 'updateAlertsAssigneeById',
  summary: 'Gives alerts to a user, or to nobody when no user is named; all of them change or none.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_ASSIGNEE',
  input: z.strictObject({ ids, assigneeId: z.uuid('is not the id of a user').nullish() }),
});

export const updateAlertsAssigneeByEmail = defineMutation({
  name: 'updateAlertsAssigneeByEmail',
  summary: 'Gives alerts to the user with this e-mail address, or to nobody when none is given.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_ASSIGNEE',
  input: z.strictObject({
    ids,
    assigneeEmail: z
      .string()
      .trim()
      .min(3, 'is not an e-mail address')
      .max(254)
      .includes('@', 'is not an e-mail address')
      .nullish(),
  }),
});

export const commentBody = z
  .string()
  .refine((body) => body.trim() !== '', 'is empty')
  .max(20_000, 'has more than 20,000 characters');

/** Several changes of alerts at once, for REST. */
export const updateAlerts = defineMutation({
  name: 'updateAlerts',
  summary: 'Changes status, assignee, quality or tags of alerts; all of them change or none.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERTS',
  input: z.strictObject({
    ids,
    status: z.enum(nonEmpty(alertStatuses)).optional(),
    assigneeId: z.union([z.uuid('is not the id of a user'), z.null()]).optional(),
    quality: z.enum(['NOISE', 'USEFUL']).nullable().optional(),
    contextTags: z.array(contextTag).max(10, 'takes at most 10 tags').optional(),
  }),
});

export const createAlertComment = defineMutation({
  name: 'createAlertComment',
  summary: 'Adds a comment to an alert.',
  permission: 'AlertModify',
  audit: 'CREATE_ALERT_COMMENT',
  input: z.strictObject({
    alertId,
    body: commentBody,
    format: z.enum(['PLAIN_TEXT', 'HTML']).nullish(),
  }),
});

export const retryDelivery = defineMutation({
  name: 'retryDelivery',
  summary: 'Sends an alert to a destination again, now.',
  permission: 'AlertModify',
  audit: 'RETRY_ALERT_DELIVERY',
  input: z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/, 'is not the id of a delivery') }),
});

export const alertOperations = [
  alerts,
  alert,
  updateAlertStatusById,
  updateAlertsAssigneeById,
  updateAlertsAssigneeByEmail,
  createAlertComment,
  retryDelivery,
];
