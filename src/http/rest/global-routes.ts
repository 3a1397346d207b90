import { z } from 'zod';
import { detectionOperations, type StoredDetection } from '#detections';
import { all, find, get, page, pageQuery, refuseTaken } from './library.ts';
import { optionalText } from './query.ts';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { listOf, present, timestamp } from './shapes.ts';

const operation = operationIn(detectionOperations);

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

async function saveGlobal(id: string, input: z.output<typeof globalInput>, { actor, services }: Caller) {
  const specification = JSON.stringify({
    AnalysisType: 'global',
    GlobalID: id,
    Filename: `${id}.py`,
    ...present('Description', input.description),
    ...present('Tags', input.tags),
  });
  return globalBody(await services.detections.save(actor, { specification, body: input.body }));
}

export const globalRoutes = [
  defineRoute({
    id: 'global#list',
    method: 'GET',
    path: '/globals',
    summary: 'Helper modules.',
    operation: operation('detections'),
    query: {
      ...pageQuery,
      'name-contains': optionalText('Part of the id, in any case.'),
      'created-by': optionalText('Made by this user or token.'),
      'last-modified-by': optionalText('Last changed by this user or token.'),
    },
    answers: { 200: listOf(globalShape) },
    errors: [400],
    async handle({ query }, caller) {
      const part = query['name-contains']?.toLowerCase() ?? '';
      const isBySomebody = query['created-by'] !== undefined || query['last-modified-by'] !== undefined;
      const found = (await all('GLOBAL', caller)).filter(({ id }) => !isBySomebody && id.toLowerCase().includes(part));
      return page(found, query.cursor, query.limit, globalBody);
    },
  }),
  defineRoute({
    id: 'global#create',
    method: 'POST',
    path: '/globals',
    summary: 'Makes a helper module.',
    operation: operation('saveDetection'),
    body: z.object({ id: z.string().min(1).max(200), ...globalFields }),
    answers: { 200: globalShape },
    errors: [400, 409],
    async handle({ body }, caller) {
      await refuseTaken(body.id, caller);
      return { status: 200, body: await saveGlobal(body.id, body, caller) };
    },
  }),
  defineRoute({
    id: 'global#get',
    method: 'GET',
    path: '/globals/{id}',
    summary: 'One helper module.',
    operation: operation('detection'),
    answers: { 200: globalShape },
    errors: [404],
    handle: async ({ params }, caller) => ({
      status: 200,
      body: globalBody(await get('GLOBAL', params['id'], caller)),
    }),
  }),
  defineRoute({
    id: 'global#put',
    method: 'PUT',
    path: '/globals/{id}',
    summary: 'Makes or replaces a helper module. The answer is wrapped in `data`.',
    operation: operation('saveDetection'),
    body: globalInput,
    answers: { 200: z.object({ data: globalShape }), 201: z.object({ data: globalShape }) },
    errors: [400],
    async handle({ params: { id = '' }, body }, caller) {
      const status = (await find('GLOBAL', id, caller)) === undefined ? 201 : 200;
      return { status, body: { data: await saveGlobal(id, body, caller) } };
    },
  }),
  defineRoute({
    id: 'global#delete',
    method: 'DELETE',
    path: '/globals/{id}',
    summary: 'Deletes a helper module.',
    operation: operation('deleteDetection'),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, caller) {
      const { id } = await get('GLOBAL', params['id'], caller);
      await caller.services.detections.delete(caller.actor, { id });
      return { status: 204 };
    },
  }),
];
