import { z } from 'zod';
import { type SavedSearch, savedSearchOperations, uploadOperations } from '#detections';
import { badInput, notFound } from '#platform/errors';
import { downloadDataLakeQuery, resultFormats } from '#search';
import { limit, optional, optionalText } from './query.ts';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { listOf, pageOf, present, timestamp } from './shapes.ts';

const operation = operationIn([...savedSearchOperations, ...uploadOperations]);

const fields = {
  description: z.string().optional(),
  schedule: z
    .object({
      cron: z.string().nullish(),
      rateMinutes: z.int().nullish(),
      timeoutMinutes: z.int().nullish(),
      disabled: z.boolean().nullish(),
    })
    .nullish(),
  emailConfig: z
    .object({
      recipients: z.array(z.string()),
      preferAttachment: z.boolean().nullish(),
      sendEmpty: z.boolean().nullish(),
    })
    .nullish(),
};
const queryInput = z.object({ name: z.string(), sql: z.string(), ...fields });
const queryShape = z.object({
  ...queryInput.shape,
  id: z.string().meta({ description: 'The same as the name.' }),
  managed: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
});

const queryBody = ({ name, sql, description, ...search }: SavedSearch): z.input<typeof queryShape> => ({
  id: name,
  name,
  sql,
  ...present('description', description || undefined),
  ...present('schedule', search.schedule),
  ...present(
    'emailConfig',
    search.emailConfig && { ...search.emailConfig, recipients: [...search.emailConfig.recipients] },
  ),
  managed: false,
  createdAt: search.createdAt.toISOString(),
  updatedAt: search.updatedAt.toISOString(),
});

/** Tags are not part of this API: an update keeps those that are there. */
async function update(name: string, input: z.output<typeof queryInput>, { actor, services }: Caller) {
  const { tags } = await services.savedSearches.get(actor, { name });
  if (input.name !== name) throw badInput('name', `name: is "${name}" for good; make a new query and delete this one`);
  return services.savedSearches.update(actor, { ...input, tags: [...tags] });
}

/** Saved and scheduled searches; results of queries as files. */
export const queryRoutes = [
  defineRoute({
    id: 'query#list',
    method: 'GET',
    path: '/queries',
    summary: 'Saved and scheduled searches.',
    operation: operation('savedQueries'),
    query: { cursor: optionalText('`next` of the page before.'), limit: limit({ usual: 100, max: 200 }) },
    answers: { 200: listOf(queryShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const found = await services.savedSearches.list(actor, { cursor: query.cursor, pageSize: query.limit });
      return pageOf(found.searches.map(queryBody), found.endCursor);
    },
  }),
  defineRoute({
    id: 'query#create',
    method: 'POST',
    path: '/queries',
    summary: 'Keeps a search.',
    operation: operation('createSavedQuery'),
    body: queryInput,
    answers: { 200: queryShape },
    errors: [400, 409],
    handle: async ({ body }, { actor, services }) => ({
      status: 200,
      body: queryBody(await services.savedSearches.create(actor, body)),
    }),
  }),
  defineRoute({
    id: 'query#get',
    method: 'GET',
    path: '/queries/{id}',
    summary: 'One saved search.',
    operation: operation('savedQuery'),
    answers: { 200: queryShape },
    errors: [404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: queryBody(await services.savedSearches.get(actor, { name: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'query#update',
    method: 'POST',
    path: '/queries/{id}',
    summary: 'A new version of a saved search.',
    operation: operation('updateSavedQuery'),
    body: queryInput,
    answers: { 200: queryShape },
    errors: [400, 404],
    handle: async ({ params, body }, caller) => ({
      status: 200,
      body: queryBody(await update(params['id'] ?? '', body, caller)),
    }),
  }),
  defineRoute({
    id: 'query#delete',
    method: 'DELETE',
    path: '/queries/{id}',
    summary: 'Deletes a saved search.',
    operation: operation('deleteSavedQueriesByName'),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      const id = params['id'] ?? '';
      const { names } = await services.removals.deleteSavedQueries(actor, { names: [id] });
      if (names.length === 0) throw notFound('query', id);
      return { status: 204 };
    },
  }),
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
