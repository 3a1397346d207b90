import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

const name = z.string().min(1, 'is empty').max(1000);
const cursor = z.string().max(2000, 'is not a cursor of this list').nullish();
const text = z.string().max(10_000, 'has more than 10000 characters');

const fields = {
  name,
  sql: z.string().min(1, 'is empty').max(100_000, 'has more than 100000 characters'),
  description: text.nullish(),
  tags: z.array(z.string().min(1).max(200)).max(100, 'has more than 100 tags').nullish(),
  /** What a query that is run by the clock has; null for one that is only kept. */
  schedule: z
    .strictObject({
      cron: z.string().max(200).nullish(),
      rateMinutes: z.number().int().nullish(),
      timeoutMinutes: z.number().int().nullish(),
      disabled: z.boolean().nullish(),
    })
    .nullish(),
  emailConfig: z
    .strictObject({
      recipients: z.array(z.string().max(320)).max(100),
      preferAttachment: z.boolean().nullish(),
      sendEmpty: z.boolean().nullish(),
    })
    .nullish(),
};

export type SavedSearchInput = z.output<z.ZodObject<typeof fields>>;

export const savedQueries = defineQuery({
  name: 'savedQueries',
  summary: 'Saved and scheduled searches by name, page by page.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({
    cursor,
    pageSize: z.number().int().min(1, 'must be between 1 and 200').max(200, 'must be between 1 and 200').nullish(),
    contains: z.string().max(200).nullish(),
    tags: z.array(z.string().max(200)).max(100).nullish(),
  }),
});
export const savedQuery = defineQuery({
  name: 'savedQuery',
  summary: 'One saved search.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({ name }),
});
export const savedQueryVersions = defineQuery({
  name: 'savedQueryVersions',
  summary: 'The latest hundred versions of a saved search, newest first, also after it was deleted.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({ name }),
});
export const createSavedQuery = defineMutation({
  name: 'createSavedQuery',
  summary: 'Keeps a search under a new name, for everybody who may query the data lake.',
  permission: 'DataAnalyticsModify',
  audit: 'CREATE_SAVED_DATA_LAKE_QUERY',
  input: z.strictObject(fields),
});
export const updateSavedQuery = defineMutation({
  name: 'updateSavedQuery',
  summary: 'A new version of a saved search. What is not given is no longer there.',
  permission: 'DataAnalyticsModify',
  audit: 'UPDATE_SAVED_DATA_LAKE_QUERY',
  input: z.strictObject(fields),
});
export const executeSavedQuery = defineMutation({
  name: 'executeSavedQuery',
  summary: 'Starts the query that a saved search holds; poll dataLakeQuery for its result.',
  permission: 'DataAnalyticsRead',
  audit: 'EXECUTE_SAVED_DATA_LAKE_QUERY',
  input: z.strictObject({ name }),
});

export const savedSearchOperations = [
  savedQueries,
  savedQuery,
  savedQueryVersions,
  createSavedQuery,
  updateSavedQuery,
  executeSavedQuery,
];
