import { z } from 'zod';
import { downloadDataLakeQuery, resultFormats } from '#search';
import { optional } from './query.ts';
import { defineRoute } from './route.ts';

/** Results of queries over the data lake, as files. */
export const queryRoutes = [
  defineRoute({
    id: 'data lake query#download',
    method: 'GET',
    path: '/data-lake-queries/{id}/results',
    summary: 'The whole result of a query, as a file.',
    operation: downloadDataLakeQuery,
    query: { format: optional(z.enum(resultFormats), 'Form of the file; csv when absent.') },
    answers: { 200: null },
    media: ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet'],
    errors: [404, 409],
    handle: async ({ params, query }, { actor, services }) => ({
      status: 200,
      file: await services.queries.download(actor, { id: params['id'], format: query.format ?? 'csv' }),
    }),
  }),
];
