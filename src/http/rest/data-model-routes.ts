import { z } from 'zod';
import { contentOperations, type StoredDetection } from '#detections';
import { DomainError } from '#platform/errors';
import { pageQuery } from './page-query.ts';
import { type Caller, defineRoute } from './route.ts';
import { onlySaved, renaming, saveContent } from './save-content.ts';
import { listOf, pageOf, present, timestamp } from './shapes.ts';

const operations = contentOperations.data_model;

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

const inOwnWords = renaming({
  DataModelID: 'id',
  DisplayName: 'displayName',
  Description: 'description',
  Filename: 'body',
  LogTypes: 'logTypes',
  Mappings: 'mappings',
  Name: 'name',
  Path: 'path',
  Method: 'method',
});

async function saveModel(how: 'create' | 'put', input: z.output<typeof modelInput>, caller: Caller) {
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
  const written = { specification, body: input.body ?? '', tests: 'none' as const };
  return onlySaved(await saveContent('data_model', how, { written, inOwnWords }, caller));
}

export const dataModelRoutes = [
  defineRoute({
    id: 'data model#list',
    method: 'GET',
    path: '/data-models',
    summary: 'Data models.',
    operation: operations.list,
    query: pageQuery,
    answers: { 200: listOf(modelShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const { items, next } = await services.content.page(actor, 'data_model', {
        limit: query.limit,
        ...present('after', query.cursor),
      });
      return pageOf(items.map(modelBody), next);
    },
  }),
  defineRoute({
    id: 'data model#create',
    method: 'POST',
    path: '/data-models',
    summary: 'Makes a data model.',
    operation: operations.create,
    body: modelInput,
    answers: { 200: modelShape },
    errors: [400, 409],
    handle: async ({ body }, caller) => ({
      status: 200,
      body: modelBody((await saveModel('create', body, caller)).item),
    }),
  }),
  defineRoute({
    id: 'data model#get',
    method: 'GET',
    path: '/data-models/{id}',
    summary: 'One data model.',
    operation: operations.get,
    answers: { 200: modelShape },
    errors: [404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: modelBody(await services.content.get(actor, 'data_model', params)),
    }),
  }),
  defineRoute({
    id: 'data model#put',
    method: 'PUT',
    path: '/data-models/{id}',
    summary: 'Makes or replaces a data model.',
    operation: operations.put,
    body: modelInput,
    answers: { 200: modelShape, 201: modelShape },
    errors: [400],
    async handle({ params, body }, caller) {
      if (body.id !== params['id'])
        throw new DomainError('bad_input', { field: 'id', publicMessage: 'id: differs from the id in the address' });
      const { item, isNew } = await saveModel('put', body, caller);
      return { status: isNew ? 201 : 200, body: modelBody(item) };
    },
  }),
  defineRoute({
    id: 'data model#delete',
    method: 'DELETE',
    path: '/data-models/{id}',
    summary: 'Deletes a data model.',
    operation: operations.delete,
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      await services.content.delete(actor, 'data_model', params);
      return { status: 204 };
    },
  }),
];
