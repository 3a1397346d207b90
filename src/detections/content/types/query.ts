import { z } from 'zod';
import { contentId, longText, schedule, tags, version } from './common.ts';

/** Queries that are kept, or run by the clock. */

const queryText = z.string().min(1, 'is empty').max(200_000);
export const queryKeys = {
  Query: queryText.optional(),
  AthenaQuery: queryText.optional(),
  SnowflakeQuery: queryText.optional(),
  DatabricksQuery: queryText.optional(),
};
type QueryKeys = { readonly [Key in keyof typeof queryKeys]?: string | undefined };

/** The text to run, whatever key it stands under. */
export const queryOf = (spec: QueryKeys): string | undefined =>
  spec.Query ?? spec.SnowflakeQuery ?? spec.AthenaQuery ?? spec.DatabricksQuery;
const hasQuery = (spec: QueryKeys) => queryOf(spec) !== undefined;
const needsQuery = { path: ['Query'], message: 'is missing' };

const query = {
  QueryName: contentId,
  ...queryKeys,
  Description: longText.optional(),
  Tags: tags.optional(),
  Lookback: z.boolean().optional(),
  LookbackWindowSeconds: z.number().int().min(0).optional(),
  ...version,
};

export const savedQuerySpec = z
  .strictObject({ AnalysisType: z.literal('saved_query'), ...query })
  .refine(hasQuery, needsQuery);

export const scheduledQuerySpec = z
  .strictObject({
    AnalysisType: z.literal('scheduled_query'),
    ...query,
    Enabled: z.boolean(),
    Schedule: schedule,
    EmailConfig: z
      .strictObject({
        Recipients: z.array(z.string().min(3).max(320)).min(1).max(100),
        SendEmpty: z.boolean().optional(),
        PreferAttachment: z.boolean().optional(),
      })
      .optional(),
  })
  .refine(hasQuery, needsQuery);
