import { z } from 'zod';
import { detectionOperations, type StoredDetection } from '#detections';
import { DomainError } from '#platform/errors';
import { all, find, get, page, pageQuery, refuseTaken } from './library.ts';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { listOf, present, timestamp } from './shapes.ts';

const operation = operationIn(detectionOperations);

const mapping = z.object({ name: z.string(), path: z.string().optional(), method: z.string().optional() });

const modelShape = z.object({
  id: z.string(),
  displayName: z.string().optional(),
  description: z.string().optional(),
  enabled: z.boolean(),
  logTypes: z.array(z.string()),
  body: z.string(),
  mappings: z.array(mapping),
  managed: z.boolean().optional(),
  createdAt: timestamp,
  lastModified: timestamp,
});

const modelSpec = z.object({
  DisplayName: z.string().optional(),
  Description: z.string().optional(),
  LogTypes: z.array(z.string()),
  Mappings: z.array(z.object({ Name: z.string(), Path: z.string().optional(), Method: z.string().optional() })),
});

function modelBody({ id, body, isEnabled, spec, createdAt, updatedAt }: StoredDetection): z.input<typeof modelShape> {
  const { DisplayName, Description, LogTypes, Mappings } = modelSpec.parse(spec);
  return {
    id,
    ...present('displayName', DisplayName),
    ...present('description', Description),
    enabled: isEnabled,
    logTypes: LogTypes,
    body,
    mappings: Mappings.map(({ Name, Path, Method }) => ({
      name: Name,
      ...present('path', Path),
      ...present('method', Method),
    })),
    managed: false,
    createdAt: createdAt.toISOString(),
    lastModified: updatedAt.toISOString(),
  };
}

const modelInput = z.object({
  id: z.string().min(1).max(200),
  displayName: z.string().nullish(),
  description: z.string().nullish(),
  enabled: z.boolean().nullish(),
  logTypes: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  mappings: z.array(z.object({ name: z.string(), path: z.string().nullish(), method: z.string().nullish() })).nullish(),
});

async function saveModel(input: z.output<typeof modelInput>, { actor, services }: Caller) {
  const specification = JSON.stringify({
    AnalysisType: 'datamodel',
    DataModelID: input.id,
    Enabled: input.enabled ?? true,
    ...present('DisplayName', input.displayName),
    ...present('Description', input.description),
    ...(input.body ? { Filename: `${input.id.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}.py` } : {}),
    LogTypes: input.logTypes ?? [],
    Mappings: (input.mappings ?? []).map(({ name, path, method }) => ({
      Name: name,
      ...(path ? { Path: path } : {}),
      ...(method ? { Method: method } : {}),
    })),
  });
  return modelBody(await services.detections.save(actor, { specification, body: input.body ?? '' }));
}

export const dataModelRoutes = [
  defineRoute({
    id: 'data model#list',
    method: 'GET',
    path: '/data-models',
    summary: 'Data models.',
    operation: operation('detections'),
    query: pageQuery,
    answers: { 200: listOf(modelShape) },
    errors: [400],
    handle: async ({ query }, caller) => page(await all('DATAMODEL', caller), query.cursor, query.limit, modelBody),
  }),
  defineRoute({
    id: 'data model#create',
    method: 'POST',
    path: '/data-models',
    summary: 'Makes a data model.',
    operation: operation('saveDetection'),
    body: modelInput,
    answers: { 200: modelShape },
    errors: [400, 409],
    async handle({ body }, caller) {
      await refuseTaken(body.id, caller);
      return { status: 200, body: await saveModel(body, caller) };
    },
  }),
  defineRoute({
    id: 'data model#get',
    method: 'GET',
    path: '/data-models/{id}',
    summary: 'One data model.',
    operation: operation('detection'),
    answers: { 200: modelShape },
    errors: [404],
    handle: async ({ params }, caller) => ({
      status: 200,
      body: modelBody(await get('DATAMODEL', params['id'], caller)),
    }),
  }),
  defineRoute({
    id: 'data model#put',
    method: 'PUT',
    path: '/data-models/{id}',
    summary: 'Makes or replaces a data model.',
    operation: operation('saveDetection'),
    body: modelInput,
    answers: { 200: modelShape, 201: modelShape },
    errors: [400],
    async handle({ params, body }, caller) {
      if (body.id !== params['id'])
        throw new DomainError('bad_input', { field: 'id', publicMessage: 'id: differs from the id in the address' });
      const status = (await find('DATAMODEL', body.id, caller)) === undefined ? 201 : 200;
      return { status, body: await saveModel(body, caller) };
    },
  }),
  defineRoute({
    id: 'data model#delete',
    method: 'DELETE',
    path: '/data-models/{id}',
    summary: 'Deletes a data model.',
    operation: operation('deleteDetection'),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, caller) {
      const { id } = await get('DATAMODEL', params['id'], caller);
      await caller.services.detections.delete(caller.actor, { id });
      return { status: 204 };
    },
  }),
];
