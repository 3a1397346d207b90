import { z } from 'zod';
import { apiToken, type ApiToken, ownAPIToken, rotateOtherAPIToken, tokenOperations } from '#identity';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { actorOf, actorShape, listOf, pageOf, permissionNames, present, timestamp } from './shapes.ts';

const operation = operationIn(tokenOperations);

const tokenShape = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(permissionNames),
  allowedCIDRBlocks: z.array(z.string()),
  createdAt: timestamp,
  createdBy: actorShape.optional(),
  updatedAt: timestamp.optional(),
  updatedBy: actorShape.optional(),
  rotatedAt: timestamp.optional(),
  lastUsedAt: timestamp.optional(),
  expiresAt: timestamp.optional(),
  value: z.string().optional().meta({ description: 'Only in the answer that makes or rotates the token.' }),
});

const tokenBody = (token: ApiToken, value?: string): z.input<typeof tokenShape> => ({
  id: token.id,
  name: token.name,
  permissions: [...token.permissions],
  allowedCIDRBlocks: [...token.allowedCidrBlocks],
  createdAt: token.createdAt.toISOString(),
  ...present('createdBy', token.createdBy && actorOf(token.createdBy)),
  ...present('updatedAt', token.updatedAt?.toISOString()),
  ...present('updatedBy', token.updatedBy && actorOf(token.updatedBy)),
  ...present('rotatedAt', token.rotatedAt?.toISOString()),
  ...present('lastUsedAt', token.lastUsedAt?.toISOString()),
  ...present('expiresAt', token.expiresAt?.toISOString()),
  ...present('value', value),
});

const tokenInput = z.object({
  name: z.string(),
  permissions: z.array(permissionNames),
  allowedCIDRBlocks: z.array(z.string()).nullish(),
});

/** `self` stands for the calling token. */
const idOf = async (id: string | undefined, { actor, services }: Caller): Promise<string | undefined> =>
  id === 'self' ? (await services.tokens.getOwn(actor, {})).id : id;

export const tokenRoutes = [
  defineRoute({
    id: 'api token#list',
    method: 'GET',
    path: '/api-tokens',
    summary: 'All API tokens, without their values.',
    operation: operation('apiTokens'),
    answers: { 200: listOf(tokenShape) },
    errors: [],
    handle: async (_request, { actor, services }) =>
      pageOf(
        (await services.tokens.list(actor, {})).map((token) => tokenBody(token)),
        null,
      ),
  }),
  defineRoute({
    id: 'api token#create',
    method: 'POST',
    path: '/api-tokens',
    summary: 'Makes an API token. Its value is in the answer and nowhere else.',
    operation: operation('createAPIToken'),
    body: tokenInput,
    answers: { 200: tokenShape },
    errors: [400],
    async handle({ body }, { actor, services }) {
      const { token, value } = await services.tokens.create(actor, body);
      return { status: 200, body: tokenBody(token, value) };
    },
  }),
  defineRoute({
    id: 'api token#get',
    method: 'GET',
    path: '/api-tokens/{id}',
    summary: 'One API token; `self` is the calling one, which needs no permission.',
    operation: { ...apiToken, permission: ownAPIToken.permission },
    answers: { 200: tokenShape },
    errors: [400, 404],
    async handle({ params: { id } }, { actor, services }) {
      const token = id === 'self' ? await services.tokens.getOwn(actor, {}) : await services.tokens.get(actor, { id });
      return { status: 200, body: tokenBody(token) };
    },
  }),
  defineRoute({
    id: 'api token#update',
    method: 'POST',
    path: '/api-tokens/{id}',
    summary: 'Replaces name, permissions and address ranges of an API token.',
    operation: operation('updateAPIToken'),
    body: tokenInput,
    answers: { 200: tokenShape },
    errors: [400, 404],
    async handle({ params, body }, caller) {
      const input = { ...body, id: await idOf(params['id'], caller), allowedCIDRBlocks: body.allowedCIDRBlocks ?? [] };
      return { status: 200, body: tokenBody(await caller.services.tokens.update(caller.actor, input)) };
    },
  }),
  defineRoute({
    id: 'api token#delete',
    method: 'DELETE',
    path: '/api-tokens/{id}',
    summary: 'Revokes an API token at once.',
    operation: operation('deleteAPIToken'),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, caller) {
      await caller.services.tokens.delete(caller.actor, { id: await idOf(params['id'], caller) });
      return { status: 204 };
    },
  }),
  defineRoute({
    id: 'api token#rotate',
    method: 'POST',
    path: '/api-tokens/{id}/rotate',
    summary: 'A new value for an API token; `self` needs no permission. The old value stops working at once.',
    operation: { ...rotateOtherAPIToken, permission: ownAPIToken.permission },
    answers: { 200: tokenShape },
    errors: [400, 404],
    async handle({ params: { id } }, { actor, services }) {
      const { token, value } =
        id === 'self' ? await services.tokens.rotateOwn(actor, {}) : await services.tokens.rotate(actor, { id });
      return { status: 200, body: tokenBody(token, value) };
    },
  }),
];
