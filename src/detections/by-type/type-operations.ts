import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { contentRights } from '../content-rights.ts';
import { deleteDetection, detectionQuery, saveDetection } from '../detection-operations.ts';
import { type ContentType, formOf } from './content-type.ts';

const text = z.string().max(1000);

/** What a page of one type may be narrowed by; where a list holds several values, any of them suffices. */
const pageInput = z.strictObject({
  after: text.optional(),
  limit: z.int().min(1).max(1000),
  nameContains: text.optional(),
  isEnabled: z.boolean().optional(),
  severities: z.array(text).max(100).default([]),
  tags: z.array(text).max(100).default([]),
  logTypes: z.array(text).max(100).default([]),
  resourceTypes: z.array(text).max(100).default([]),
  scheduledQueries: z.array(text).max(100).default([]),
  createdById: text.optional(),
  lastModifiedById: text.optional(),
});

export type PageFilter = z.output<typeof pageInput>;

const saveInput = saveDetection.input.extend({
  /** Whether unit tests must pass before it is saved, are not run, or are all that is done. */
  tests: z.enum(['first', 'none', 'only']).default('first'),
});

/** Names of the audit actions of a type. */
const audits: Readonly<Record<ContentType, { readonly subject: string; readonly removal: string }>> = {
  rule: { subject: 'RULE', removal: 'DELETE_DETECTION' },
  simple_rule: { subject: 'RULE', removal: 'DELETE_DETECTION' },
  scheduled_rule: { subject: 'RULE', removal: 'DELETE_DETECTION' },
  correlation_rule: { subject: 'RULE', removal: 'DELETE_DETECTION' },
  policy: { subject: 'POLICY', removal: 'DELETE_DETECTION' },
  global: { subject: 'GLOBAL_HELPER', removal: 'DELETE_GLOBAL_HELPER' },
  data_model: { subject: 'DATA_MODEL', removal: 'DELETE_DATA_MODEL' },
};

/** The operations of one type of content: they have its own permissions and audit actions. */
function operationsOn(type: ContentType) {
  const { kind, one, many } = formOf(type);
  const { read, write } = contentRights[kind];
  const { subject, removal } = audits[type];
  return {
    list: defineQuery({
      name: `${type} list`,
      summary: `All ${many}, page by page.`,
      permission: read,
      input: pageInput,
    }),
    get: defineQuery({ name: `${type} get`, summary: `One ${one}.`, permission: read, input: detectionQuery.input }),
    create: defineMutation({
      name: `${type} create`,
      summary: `Makes a ${one}, whose id must be new.`,
      permission: write,
      audit: `CREATE_${subject}`,
      input: saveInput,
    }),
    put: defineMutation({
      name: `${type} put`,
      summary: `Makes or replaces a ${one}.`,
      permission: write,
      audit: `UPDATE_${subject}`,
      input: saveInput,
    }),
    delete: defineMutation({
      name: `${type} delete`,
      summary: `Deletes a ${one}; its history stays.`,
      permission: write,
      audit: removal,
      input: deleteDetection.input,
    }),
  };
}

type TypeOperations = ReturnType<typeof operationsOn>;

/** The same by type. */
export const contentOperations: Readonly<Record<ContentType, TypeOperations>> = {
  rule: operationsOn('rule'),
  simple_rule: operationsOn('simple_rule'),
  scheduled_rule: operationsOn('scheduled_rule'),
  correlation_rule: operationsOn('correlation_rule'),
  policy: operationsOn('policy'),
  global: operationsOn('global'),
  data_model: operationsOn('data_model'),
};
