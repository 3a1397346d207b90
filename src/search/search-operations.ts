import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { indicatorFields } from '#lake';
import { resultFormats } from './queries/result-format.ts';
import { dialectNames } from './sql/dialect.ts';

const cursor = z.string().max(500, 'is not a cursor of this list').nullish();
const id = z.uuid('is not the id of a query');
const name = z.string().min(1).max(300);

export const executeDataLakeQuery = defineMutation({
  name: 'executeDataLakeQuery',
  summary: 'Starts a query over the data lake; poll dataLakeQuery for its result.',
  permission: 'DataAnalyticsRead',
  audit: 'EXECUTE_DATA_LAKE_QUERY',
  input: z.strictObject({
    sql: z.string().min(1, 'is empty').max(100_000, 'has more than 100000 characters'),
    databaseName: z.string().max(200).nullish(),
    dialect: z.enum(dialectNames).nullish(),
    name: z.string().max(200).nullish(),
  }),
});

export const executeIndicatorSearchQuery = defineMutation({
  name: 'executeIndicatorSearchQuery',
  summary: 'Looks for indicators (addresses, hashes, names) in all log types within a time range.',
  permission: 'DataAnalyticsRead',
  audit: 'EXECUTE_INDICATOR_SEARCH_QUERY',
  input: z
    .strictObject({
      indicators: z
        .array(z.string().trim().min(1, 'is empty').max(1000))
        .min(1, 'needs one indicator or more')
        .max(100, 'takes 100 indicators at most'),
      startTime: z.date(),
      endTime: z.date(),
      indicatorName: z.enum(['AutoDetectType', 'SimpleSearch', 'TextSearch', ...indicatorFields]).nullish(),
      databases: z.array(name).max(20).nullish(),
      tables: z.array(name).max(100).nullish(),
    })
    .refine(({ startTime, endTime }) => startTime <= endTime, { path: ['endTime'], error: 'is before startTime' }),
});

const selection = {
  databaseName: name.nullish(),
  tables: z.array(name).max(50, 'names more than 50 tables').nullish(),
  where: z.string().max(20_000, 'has more than 20000 characters').nullish(),
  dialect: z.enum(dialectNames).nullish(),
  startTime: z.date(),
  endTime: z.date(),
};
const inOrder = ({ startTime, endTime }: { readonly startTime: Date; readonly endTime: Date }): boolean =>
  startTime < endTime;
const notInOrder = { path: ['endTime'], error: 'is not after startTime' };

export const executeHistogramQuery = defineMutation({
  name: 'executeHistogramQuery',
  summary: 'Counts events over time, by log type.',
  permission: 'DataAnalyticsRead',
  audit: 'EXECUTE_HISTOGRAM_QUERY',
  input: z
    .strictObject({
      ...selection,
      bucketsMax: z.number().int().min(1, 'is less than 1').max(500, 'is more than 500').nullish(),
    })
    .refine(inOrder, notInOrder),
});

export const executeFieldStatisticsQuery = defineMutation({
  name: 'executeFieldStatisticsQuery',
  summary: 'The most frequent values of fields, and how many events have them.',
  permission: 'DataAnalyticsRead',
  audit: 'EXECUTE_FIELD_STATISTICS_QUERY',
  input: z
    .strictObject({
      ...selection,
      fields: z
        .array(z.string().trim().min(1, 'is empty').max(500))
        .min(1, 'needs one field or more')
        .max(20, 'names more than 20 fields'),
      valuesMax: z.number().int().min(1, 'is less than 1').max(100, 'is more than 100').nullish(),
    })
    .refine(inOrder, notInOrder),
});

export const cancelDataLakeQuery = defineMutation({
  name: 'cancelDataLakeQuery',
  summary: 'Ends a query that waits or runs; the engine stops.',
  permission: 'DataAnalyticsRead',
  audit: 'CANCEL_DATA_LAKE_QUERY',
  input: z.strictObject({ id }),
});

export const dataLakeQuery = defineQuery({
  name: 'dataLakeQuery',
  summary: 'One query: how far it is, and its result.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({ id }),
});

export const downloadDataLakeQuery = defineMutation({
  name: 'downloadDataLakeQuery',
  summary: 'The whole result of a query that succeeded, as a file.',
  permission: 'DataAnalyticsRead',
  audit: 'DOWNLOAD_DATA_LAKE_QUERY',
  input: z.strictObject({ id, format: z.enum(resultFormats) }),
});

/** Part of `dataLakeQuery`: a page of its result. */
export const queryResults = z.strictObject({
  id,
  cursor,
  pageSize: z.number().int().min(1, 'must be between 1 and 999').max(999, 'must be between 1 and 999').nullish(),
});

export const dataLakeQueries = defineQuery({
  name: 'dataLakeQueries',
  summary: 'Queries of the last 30 days, latest first.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({
    contains: z.string().max(1000).nullish(),
    cursor,
    isScheduled: z.boolean().nullish(),
    issuedBy: z.array(z.string().max(100)).max(100).nullish(),
    pageSize: z.number().int().min(1, 'must be between 1 and 999').max(999, 'must be between 1 and 999').nullish(),
    sortBy: z.enum(['startedAt']).nullish(),
    sortDir: z.enum(['ascending', 'descending']).nullish(),
    startedAtAfter: z.date().nullish(),
    startedAtBefore: z.date().nullish(),
    status: z.array(z.enum(['cancelled', 'failed', 'running', 'succeeded'])).nullish(),
  }),
});

export const dataLakeDatabases = defineQuery({
  name: 'dataLakeDatabases',
  summary: 'Databases of the data lake.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({}),
});

export const dataLakeDatabase = defineQuery({
  name: 'dataLakeDatabase',
  summary: 'One database and its tables.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({ name }),
});

export const dataLakeDatabaseTable = defineQuery({
  name: 'dataLakeDatabaseTable',
  summary: 'One table and its columns.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({ databaseName: name, tableName: name }),
});

export const dataLakeDatabaseTables = defineQuery({
  name: 'dataLakeDatabaseTables',
  summary: 'Tables of a database, page by page.',
  permission: 'DataAnalyticsRead',
  input: z.strictObject({
    databaseName: name,
    cursor,
    pageSize: z.number().int().min(1, 'must be between 1 and 999').max(999, 'must be between 1 and 999').nullish(),
  }),
});

export const searchOperations = [
  executeDataLakeQuery,
  executeIndicatorSearchQuery,
  executeHistogramQuery,
  executeFieldStatisticsQuery,
  cancelDataLakeQuery,
  dataLakeQuery,
  dataLakeQueries,
  dataLakeDatabases,
  dataLakeDatabase,
  dataLakeDatabaseTable,
  dataLakeDatabaseTables,
];
