import { z } from 'zod';
import { contentOperations, type StoredDetection } from '#detections';
import { pageQuery } from './page-query.ts';
import { optionalText } from './query.ts';
import { type Caller, defineRoute } from './route.ts';
import { onlySaved, renaming, saveContent } from './save-content.ts';
import { listOf, pageOf, present, timestamp } from './shapes.ts';

const operations = contentOperations.global;

const globalShape = z.object({
  id: z.string(),
  body: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  managed: z.boolean().optional(),
  createdAt: timestamp,
  lastModified: timestamp,
});

function globalBody({ id, body, spec, createdAt, updatedAt }: StoredDetection): z.input<typeof globalShape> {
  const { description, tags } = z
    .object({ Description: z.string().optional(), Tags: z.array(z.string()).optional() })
    .transform(({ Description, Tags }) => ({ description: Description, tags: Tags }))
    .parse(spec);
  return {
    id,
    body,
    ...present('description', description),
    ...present('tags', tags),
    managed: false,
    createdAt: createdAt.toISOString(),
    lastModified: updatedAt.toISOString(),
  };
}

const globalFields = {
  body: z.string(),
  description: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
};
const globalInput = z.object(globalFields);

const inOwnWords = renaming({ GlobalID: 'id', Description: 'description', Tags: 'tags' });

async function saveGlobal(
  how: 'create' | 'put',
  { id, ...input }: z.output<typeof globalInput> & { readonly id: string },
  caller: Caller,
) {
  const specification = JSON.stringify({
    AnalysisType: 'global',
    GlobalID: id,
    Filename: `${id}.py`,
    ...present('Description', input.description),
    ...present('Tags', input.tags),
  });
  const written = { specification, body: input.body, tests: 'none' as const };
  return onlySaved(await saveContent('global', how, { written, inOwnWords }, caller));
}

export const globalRoutes = [
  defineRoute({
    id: 'global#list',
    method: 'GET',
    path: '/globals',
    summary: 'Helper modules.',
    operation: operations.list,
    query: {
      ...pageQuery,
      'name-contains': optionalText('Part of the id, in any case.'),
      'created-by': optionalText('Made by this user or token.'),
      'last-modified-by': optionalText('Last changed by this user or token.'),
    },
    answers: { 200: listOf(globalShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const { items, next } = await services.content.page(actor, 'global', {
        limit: query.limit,
        ...present('after', query.cursor),
        ...present('nameContains', query['name-contains']),
        ...present('createdById', query['created-by']),
        ...present('lastModifiedById', query['last-modified-by']),
      });
      return pageOf(items.map(globalBody), next);
    },
  }),
  defineRoute({
    id: 'global#create',
    method: 'POST',
    path: '/globals',
    summary: 'Makes a helper module.',
    operation: operations.create,
    body: z.object({ id: z.string().min(1).max(200), ...globalFields }),
    answers: { 200: globalShape },
    errors: [400, 409],
    handle: async ({ body }, caller) => ({
      status: 200,
      body: globalBody((await saveGlobal('create', body, caller)).item),
    }),
  }),
  defineRoute({
    id: 'global#get',
    method: 'GET',
    path: '/globals/{id}',
    summary: 'One helper module.',
    operation: operations.get,
    answers: { 200: globalShape },
    errors: [404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: globalBody(await services.content.get(actor, 'global', params)),
    }),
  }),
  defineRoute({
    id: 'global#put',
    method: 'PUT',
    path: '/globals/{id}',
    summary: 'Makes or replaces a helper module. The answer is wrapped in `data`.',
    operation: operations.put,
    body: globalInput,
    answers: { 200: z.object({ data: globalShape }), 201: z.object({ data: globalShape }) },
    errors: [400],
    async handle({ params: { id = '' }, body }, caller) {
      const { item, isNew } = await saveGlobal('put', { ...body, id }, caller);
      return { status: isNew ? 201 : 200, body: { data: globalBody(item) } };
    },
  }),
  defineRoute({
    id: 'global#delete',
    method: 'DELETE',
    path: '/globals/{id}',
    summary: 'Deletes a helper module.',
    operation: operations.delete,
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      await services.content.delete(actor, 'global', params);
      return { status: 204 };
    },
  }),
];
