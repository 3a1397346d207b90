import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

export const contextTag = z
  .string()
  .regex(/^[a-z0-9_-]{1,30}$/, 'has 1 to 30 lower-case letters, digits, hyphens or underscores');

export const alertContextTags = defineQuery({
  name: 'alertContextTags',
  summary: 'Tags that alerts can carry, in their order.',
  permission: 'AlertRead',
  input: z.strictObject({
    cursor: z.string().max(100).nullish(),
    pageSize: z.number().int().min(1, 'must be between 1 and 2000').max(2000, 'must be between 1 and 2000').nullish(),
    managed: z.boolean().nullish(),
  }),
});

export const createAlertContextTag = defineMutation({
  name: 'createAlertContextTag',
  summary: 'Adds a tag that alerts can carry.',
  permission: 'AlertModify',
  audit: 'CREATE_ALERT_CONTEXT_TAG',
  input: z.strictObject({ tag: contextTag }),
});

export const renameAlertContextTag = defineMutation({
  name: 'renameAlertContextTag',
  summary: 'Renames a tag, also on the alerts that carry it.',
  permission: 'AlertModify',
  audit: 'UPDATE_ALERT_CONTEXT_TAG',
  input: z.strictObject({ tag: contextTag, to: contextTag }),
});

export const deleteAlertContextTag = defineMutation({
  name: 'deleteAlertContextTag',
  summary: 'Removes a tag, also from the alerts that carry it.',
  permission: 'AlertModify',
  audit: 'DELETE_ALERT_CONTEXT_TAG',
  input: z.strictObject({ tag: contextTag }),
});
