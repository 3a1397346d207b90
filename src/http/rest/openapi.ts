import { z } from 'zod';
import { permissionsFor, permissionTitles } from '#access';
import type { RestRoute } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

const jsonOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

const content = (schema: Json, mediaType = 'application/json') => ({ [mediaType]: { schema } });

const message = { type: 'object', required: ['message'], properties: { message: { type: 'string', minLength: 1 } } };

/** What any route may answer besides its own. */
const always: Readonly<Record<number, string>> = {
  401: 'No valid API token.',
  403: 'The token lacks the permission, or may not be used from this address.',
  413: 'The body is too large.',
  415: 'The body is not of the type that is described.',
  431: 'The address, or the headers, are too long.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  500: 'Something went wrong on our side.',
  503: 'A part is away for the moment.',
};

const declared: Readonly<Record<number, string>> = {
  400: 'The request is wrong; the message names the field.',
  404: 'There is no such thing.',
  409: 'It exists already.',
};

const parametersOf = ({ path, query }: RestRoute): readonly Json[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  })),
  ...Object.entries(query ?? {}).map(([name, { about, isRequired, schema }]) => ({
    name,
    in: 'query',
    required: isRequired,
    allowEmptyValue: true,
    description: about,
    schema,
  })),
];

function answersOf({ answers, errors, failure, media, operation }: RestRoute): Json {
  const failed = (status: number) =>
    status === 400 && failure
      ? { ...message, properties: { ...message.properties, ...propertiesOf(failure) } }
      : message;
  const own = Object.entries(answers).map(([status, schema]) => [
    status,
    {
      description: 'Done.',
      ...(schema === null ? {} : { content: content(jsonOf(schema, 'output')) }),
      ...(media === undefined ? {} : { content: Object.fromEntries(media.map((type) => [type, {}])) }),
    },
  ]);
  const known = operation.owedTo === undefined ? errors : [];
  const told = [
    ...known.map((status): [number, string] => [status, declared[status] ?? '']),
    ...(known.includes(400) ? [] : [[400, declared[400] ?? ''] as const]),
    ...Object.entries(always).map(([status, text]) => [Number(status), text] as const),
    ...(operation.owedTo === undefined ? [] : [[501, 'Not available in this version.'] as const]),
  ].map(([status, description]) => [status, { description, content: content(failed(status)) }]);
  return Object.fromEntries([...own, ...told]) as Json;
}

const propertiesOf = (fields: Readonly<Record<string, z.ZodType>>): Json =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, jsonOf(schema, 'output')]));

function rightsOf(route: RestRoute): string {
  const wanted = permissionsFor(route.operation);
  if (wanted.length === 0) return 'Needs a valid token.';
  return `Needs the permission ${wanted.map((name) => `${name} ("${permissionTitles[name]}")`).join(' or ')}.`;
}

/** What routes are about, as readers see it, in the order of the page; by what stands before `#` in their ids. */
export const sections: Readonly<Record<string, string>> = {
  alert: 'Alerts',
  comment: 'Alert comments',
  contexttag: 'Alert context tags',
  rule: 'Rules',
  'simple rule': 'Simple rules',
  'scheduled rule': 'Scheduled rules',
  'correlation rule': 'Correlation rules',
  policy: 'Policies',
  global: 'Globals',
  'data model': 'Data models',
  upload: 'Uploads of detections',
  query: 'Saved and scheduled searches',
  'data lake query': 'Results of searches',
  'http source': 'HTTP log sources',
  'log source alarm': 'Log source alarms',
  user: 'Users',
  role: 'Roles',
  'api token': 'API tokens',
  'aws cloud account': 'AWS accounts (not available yet)',
  'gcs source': 'GCS log sources (not available yet)',
  'log forwarder source': 'Log forwarders (not available yet)',
  'pub/sub source': 'Pub/Sub log sources (not available yet)',
  's3 source': 'S3 log sources (not available yet)',
};

const operationOf = (route: RestRoute): Json => ({
  operationId: route.id,
  summary: route.summary,
  description: rightsOf(route),
  tags: [route.id.split('#')[0] ?? ''],
  parameters: parametersOf(route),
  ...(route.body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: content(jsonOf(route.body, 'input'), route.isForm ? 'multipart/form-data' : undefined),
        },
      }),
  responses: answersOf(route),
});

/** The whole REST API as an OpenAPI 3.1 document, from the same definitions that answer requests. */
export function openApiDocument(routes: readonly RestRoute[], version: string): Json {
  const paths = Object.entries(Object.groupBy(routes, ({ path }) => path)).map(([path, group = []]) => [
    path,
    Object.fromEntries(group.map((route) => [route.method.toLowerCase(), operationOf(route)])),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Margay REST API',
      version,
      description:
        'The same operations answer under `/v1`. Lists hold `results` and `next`, the cursor of the next page.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }, { url: '/v1' }],
    security: [{ ApiKeyAuth: [] }],
    tags: Object.entries(sections).map(([name, title]) => ({ name, 'x-displayName': title })),
    paths: Object.fromEntries(paths) as Json,
    components: { securitySchemes: { ApiKeyAuth: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } },
  };
}
