import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

const id = z.uuid('is not the id of a destination');

const reservedHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'idempotency-key',
  'keep-alive',
  'te',
  'trailer',
  'traceparent',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 section 5.6.2; framing and our own headers are not for users to set. */
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$/, 'is not a header name')
  .refine((name) => {
    const lower = name.toLowerCase();
    return !reservedHeaders.has(lower) && !lower.startsWith('x-margay-') && !lower.startsWith('proxy-');
  }, 'is a header that Margay sets itself');

const header = z.strictObject({
  name: headerName,
  value: z
    .string()
    .max(4096, 'has more than 4,096 characters')
    .regex(/^[\x20-\x7e]*$/, 'may hold printable ASCII characters only')
    .nullish(),
});

const headers = z
  .array(header)
  .max(20, 'takes at most 20 headers')
  .refine(
    (items) => new Set(items.map(({ name }) => name.toLowerCase())).size === items.length,
    'names a header twice',
  );

const settings = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1, 'is empty')
    .max(200, 'has more than 200 characters')
    .regex(/^[^'<>&"\p{Cc}]*$/u, 'may not hold quotes, <, > or &'),
  severities: z.array(z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])).max(5),
  alertTypes: z
    .array(z.enum(['RULE', 'RULE_ERROR', 'SCHEDULED_RULE', 'SCHEDULED_RULE_ERROR', 'POLICY', 'SYSTEM_ERROR']))
    .max(6)
    .nullish(),
  logTypes: z
    .array(
      z
        .string()
        .min(1, 'is empty')
        .max(255)
        .regex(/^\P{Cc}*$/u, 'may not hold control characters'),
    )
    .max(500, 'takes at most 500 log types')
    .nullish(),
  isEnabled: z.boolean().nullish(),
  secret: z.string().min(16, 'must have 16 characters or more').max(1000).nullish(),
});

const url = z.string().trim().min(1, 'is empty').max(2048, 'has more than 2,048 characters');

export const destinations = defineQuery({
  name: 'destinations',
  summary: 'All places alerts are sent to, by name.',
  permission: 'DestinationRead',
  input: z.strictObject({}),
});

export const destination = defineQuery({
  name: 'destination',
  summary: 'One destination.',
  permission: 'DestinationRead',
  input: z.strictObject({ id }),
});

export const createWebhookDestination = defineMutation({
  name: 'createWebhookDestination',
  summary: 'Adds a URL that alerts are posted to as JSON.',
  permission: 'DestinationModify',
  audit: 'CREATE_DESTINATION',
  input: settings.extend({ url, headers: headers.nullish() }),
});

export const updateWebhookDestination = defineMutation({
  name: 'updateWebhookDestination',
  summary: 'Replaces the settings of a webhook; URL and secrets that are not given stay.',
  permission: 'DestinationModify',
  audit: 'UPDATE_DESTINATION',
  input: settings.extend({
    id,
    url: url.nullish(),
    headers: headers.nullish(),
    removeSecret: z.boolean().nullish(),
  }),
});

export const deleteDestination = defineMutation({
  name: 'deleteDestination',
  summary: 'Deletes a destination and gives up what was still to be sent to it.',
  permission: 'DestinationModify',
  audit: 'DELETE_DESTINATION',
  input: z.strictObject({ id }),
});

export const sendTestAlert = defineMutation({
  name: 'sendTestAlert',
  summary: 'Sends an alert that does not exist, once, and tells what the destination answered.',
  permission: 'DestinationModify',
  audit: 'SEND_TEST_ALERT',
  input: z.strictObject({ id }),
});

export type WebhookSettingsInput = z.output<typeof settings>;
export type UpdateWebhookInput = z.output<typeof updateWebhookDestination.input>;
export type HeadersInput = z.output<typeof headers>;

export const destinationOperations = [
  destinations,
  destination,
  createWebhookDestination,
  updateWebhookDestination,
  deleteDestination,
  sendTestAlert,
];
