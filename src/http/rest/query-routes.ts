import { z } from 'zod';
import { type SavedSearch, savedSearchOperations, uploadOperations } from '#detections';
import { badInput, notFound } from '#platform/errors';
import { hashId } from '#platform/ids';
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
  id: z.uuid().meta({ description: 'Follows from the name, so that it stays the same.' }),
  managed: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
});

/** Clients know searches by a UUID; searches have a name for good, from which it follows. */
function idOf(name: string, { actor }: Pick<Caller, 'actor'>): string {
  const hex = hashId('saved search', actor.tenantId, name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const searchesPerPage = 200;

/** The name of the search with the id. Throws DomainError `not_found`. */
async function nameOf(id: string | undefined, { actor, services }: Caller): Promise<string> {
  let cursor: string | undefined;
  do {
    const found = await services.savedSearches.list(actor, { cursor, pageSize: searchesPerPage });
    const search = found.searches.find(({ name }) => idOf(name, { actor }) === id);
    if (search !== undefined) return search.name;
    cursor = found.endCursor ?? undefined;
  } while (cursor !== undefined);
  throw notFound('query', id ?? '');
}

const queryBody = (
  { name, sql, description, ...search }: SavedSearch,
  caller: Pick<Caller, 'actor'>,
): z.input<typeof queryShape> => ({
  id: idOf(name, caller),
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
    query: { cursor: optionalText('`next` of the page before.'), limit: limit({ usual: 100, max: 1000 }) },
    answers: { 200: listOf(queryShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const pageSize = Math.min(query.limit, searchesPerPage);
      const found = await services.savedSearches.list(actor, { cursor: query.cursor, pageSize });
      return pageOf(
        found.searches.map((search) => queryBody(search, { actor })),
        found.endCursor,
      );
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
      body: queryBody(await services.savedSearches.create(actor, body), { actor }),
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
    async handle({ params }, caller) {
      const name = await nameOf(params['id'], caller);
      return { status: 200, body: queryBody(await caller.services.savedSearches.get(caller.actor, { name }), caller) };
    },
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
      body: queryBody(await update(await nameOf(params['id'], caller), body, caller), caller),
    }),
  }),
  defineRoute({
    id: 'query#delete',
    method: 'DELETE',
    path: '/queries/{id}',
    summary: 'Deletes a saved search.',
    operation: { ...operation('deleteSavedQueriesByName'), permission: 'DataAnalyticsModify' },
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, caller) {
      const name = await nameOf(params['id'], caller);
      await caller.services.removals.deleteSavedQueries(caller.actor, { names: [name] });
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
