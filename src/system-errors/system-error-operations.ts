import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

export const systemErrors = defineQuery({
  name: 'systemErrors',
  summary: 'What is wrong with sources, destinations and detections, latest first.',
  permission: 'AlertRead',
  input: z.strictObject({
    cursor: z.string().max(500, 'is not a cursor of this list').nullish(),
    isResolved: z.boolean().nullish(),
    pageSize: z.number().int().min(1, 'must be between 1 and 100').max(100, 'must be between 1 and 100').nullish(),
  }),
});

export const resolveSystemError = defineMutation({
  name: 'resolveSystemError',
  summary: 'Marks a system error as dealt with; the same trouble again raises a new one.',
  permission: 'AlertModify',
  audit: 'RESOLVE_SYSTEM_ERROR',
  input: z.strictObject({ id: z.uuid('is not the id of a system error') }),
});

export const systemErrorOperations = [systemErrors, resolveSystemError];
