import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { alertId, commentBody } from '../alert-operations.ts';

const id = z.uuid('is not the id of a comment');
const format = z.enum(['PLAIN_TEXT', 'HTML']);

export const alertComments = defineQuery({
  name: 'alertComments',
  summary: 'Comments of one alert, oldest first.',
  permission: 'AlertRead',
  input: z.strictObject({
    alertId,
    cursor: z.string().max(1000, 'is not a cursor of this list').nullish(),
    pageSize: z.number().int().min(1, 'must be between 1 and 50').max(50, 'must be between 1 and 50').nullish(),
  }),
});

export const alertComment = defineQuery({
  name: 'alertComment',
  summary: 'One comment.',
  permission: 'AlertRead',
  input: z.strictObject({ id }),
});

export const updateAlertComment = defineMutation({
  name: 'updateAlertComment',
  summary: 'Replaces text and form of a comment; who wrote it stays.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_COMMENT',
  input: z.strictObject({ id, alertId, body: commentBody, format }),
});
