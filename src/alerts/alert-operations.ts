import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

const alertId = z.string().min(1, 'is empty').max(100);
const status = z.enum(['OPEN', 'TRIAGED', 'CLOSED', 'RESOLVED']);
const names = z.array(z.string().max(500)).max(500).nullish();

export const alerts = defineQuery({
  name: 'alerts',
  summary: 'Alerts, newest first.',
  permission: 'AlertRead',
  input: z
    .strictObject({
      createdAtAfter: z.date().nullish(),
      createdAtBefore: z.date().nullish(),
      cursor: z.string().max(1000).nullish(),
      detectionId: z.string().max(200).nullish(),
      eventCountMax: z.number().int().min(0).nullish(),
      eventCountMin: z.number().int().min(0).nullish(),
      logTypes: names,
      nameContains: z.string().max(500).nullish(),
      pageSize: z.number().int().min(1).max(100).nullish(),
      severities: z
        .array(z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']))
        .max(5)
        .nullish(),
      sortBy: z.literal('createdAt').nullish(),
      sortDir: z.enum(['ascending', 'descending']).nullish(),
      statuses: z.array(status).max(4).nullish(),
      type: z.enum(['ALERT', 'DETECTION_ERROR', 'SYSTEM_ERROR']).nullish(),
    })
    .refine(
      (input) => Boolean(input.detectionId) || (Boolean(input.createdAtAfter) && Boolean(input.createdAtBefore)),
      {
        path: ['createdAtAfter'],
        error: 'give detectionId, or both createdAtAfter and createdAtBefore',
      },
    ),
});

export const alert = defineQuery({
  name: 'alert',
  summary: 'One alert.',
  permission: 'AlertRead',
  input: z.strictObject({ id: alertId }),
});

export const updateAlertStatusById = defineMutation({
  name: 'updateAlertStatusById',
  summary: 'Sets the status of alerts.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_STATUS',
  input: z.strictObject({ ids: z.array(alertId).min(1, 'needs one id or more').max(500), status }),
});

export const createAlertComment = defineMutation({
  name: 'createAlertComment',
  summary: 'Adds a comment to an alert.',
  permission: 'AlertModify',
  audit: 'CREATE_ALERT_COMMENT',
  input: z.strictObject({
    alertId,
    body: z.string().trim().min(1, 'is empty').max(50_000),
    format: z.enum(['PLAIN_TEXT', 'HTML']).nullish(),
  }),
});

export const alertOperations = [alerts, alert, updateAlertStatusById, createAlertComment];
