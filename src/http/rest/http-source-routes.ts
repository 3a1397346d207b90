import { z } from 'zod';
import { type HttpSource, sourceOperations } from '#ingestion';
import { notFound } from '#platform/errors';
import { defineRoute, operationIn } from './route.ts';

const operation = operationIn(sourceOperations);

const streamTypes = z.enum(['Auto', 'JSON', 'JsonArray', 'Lines', 'XML']);
const authMethods = z.enum(['SharedSecret', 'HMAC', 'Bearer', 'Basic', 'None']);
const streamOptions = z.object({
  jsonArrayEnvelopeField: z.string().nullish(),
  xmlRootElement: z.string().nullish(),
});

const sourceShape = z.object({
  integrationId: z.uuid(),
  integrationLabel: z.string(),
  logTypes: z.array(z.string()),
  logStreamType: z.string(),
  logStreamTypeOptions: streamOptions.optional(),
  authMethod: authMethods,
  authHeaderKey: z.string().optional(),
  authSecretValue: z.string().optional().meta({ description: 'Always empty: secrets are never given back.' }),
  authHmacAlg: z.string().optional(),
  authUsername: z.string().optional(),
  authPassword: z.string().optional().meta({ description: 'Always empty: secrets are never given back.' }),
  authBearerToken: z.string().optional().meta({ description: 'Always empty: secrets are never given back.' }),
});

/** What is shown of how a sender proves itself: secrets are there and empty. */
function authBody(auth: HttpSource['auth']) {
  switch (auth.method) {
    case 'None':
      return {};
    case 'Bearer':
      return { authBearerToken: '' };
    case 'Basic':
      return { authUsername: auth.username, authPassword: '' };
    case 'SharedSecret':
      return { authHeaderKey: auth.headerKey, authSecretValue: '' };
    case 'HMAC':
      return { authHeaderKey: auth.headerKey, authSecretValue: '', authHmacAlg: auth.algorithm };
  }
}

function sourceBody(source: HttpSource): z.input<typeof sourceShape> {
  const { jsonArrayEnvelopeField, xmlRootElement } = source.streamOptions;
  const options = {
    ...(jsonArrayEnvelopeField === undefined ? {} : { jsonArrayEnvelopeField }),
    ...(xmlRootElement === undefined ? {} : { xmlRootElement }),
  };
  return {
    integrationId: source.id,
    integrationLabel: source.label,
    logTypes: [...source.logTypes],
    logStreamType: source.streamType,
    ...(Object.keys(options).length === 0 ? {} : { logStreamTypeOptions: options }),
    authMethod: source.auth.method,
    ...authBody(source.auth),
  };
}

/** An empty text is as good as none: clients send back what they read. */
const given = z
  .string()
  .nullish()
  .transform((text) => text || undefined);

const sourceInput = z.object({
  integrationLabel: z.string(),
  logTypes: z.array(z.string()),
  logStreamType: streamTypes,
  logStreamTypeOptions: streamOptions.nullish(),
  authMethod: authMethods,
  authHeaderKey: given,
  authSecretValue: given,
  authHmacAlg: given,
  authUsername: given,
  authPassword: given,
  authBearerToken: given,
});

export const httpSourceRoutes = [
  defineRoute({
    id: 'http source#create',
    method: 'POST',
    path: '/log-sources/http',
    summary: 'Makes a place that takes logs by POST.',
    operation: operation('createHttpSource'),
    body: sourceInput,
    answers: { 201: sourceShape },
    errors: [400, 409],
    handle: async ({ body }, { actor, services }) => ({
      status: 201,
      body: sourceBody(await services.sources.create(actor, body)),
    }),
  }),
  defineRoute({
    id: 'http source#get',
    method: 'GET',
    path: '/log-sources/http/{id}',
    summary: 'One HTTP source.',
    operation: operation('source'),
    answers: { 200: sourceShape },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      const found = await services.sources.find(actor, { id: params['id'] });
      if (found === undefined) throw notFound('log source', params['id'] ?? '');
      return { status: 200, body: sourceBody(found) };
    },
  }),
  defineRoute({
    id: 'http source#put',
    method: 'PUT',
    path: '/log-sources/http/{id}',
    summary: 'Replaces the settings of an HTTP source; secrets that are not given stay.',
    operation: operation('updateHttpSource'),
    body: sourceInput,
    answers: { 200: sourceShape },
    errors: [400, 404, 409],
    handle: async ({ params, body }, { actor, services }) => ({
      status: 200,
      body: sourceBody(await services.sources.update(actor, { ...body, id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'http source#delete',
    method: 'DELETE',
    path: '/log-sources/http/{id}',
    summary: 'Deletes an HTTP source; what it delivered stays.',
    operation: operation('deleteSource'),
    answers: { 204: null },
    errors: [400],
    async handle({ params }, { actor, services }) {
      const { id } = params;
      if ((await services.sources.find(actor, { id })) !== undefined) await services.sources.delete(actor, { id });
      return { status: 204 };
    },
  }),
];
