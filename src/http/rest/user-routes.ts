import { z } from 'zod';
import { searchUsers, type User, userOperations } from '#identity';
import { commaList, flag, limit, optionalText, textList } from './query.ts';
import { defineRoute, operationIn } from './route.ts';
import { listOf, pageOf, present, timestamp } from './shapes.ts';

const operation = operationIn(userOperations);

const userShape = z.object({
  id: z.string(),
  email: z.string(),
  givenName: z.string(),
  familyName: z.string(),
  role: z.object({ id: z.string(), name: z.string() }),
  enabled: z.boolean(),
  status: z.string(),
  createdAt: timestamp,
  lastLoggedInAt: timestamp.optional(),
});

const userBody = (user: User): z.input<typeof userShape> => ({
  id: user.id,
  email: user.email,
  givenName: user.givenName,
  familyName: user.familyName,
  role: { id: user.role.id, name: user.role.name },
  enabled: user.isEnabled,
  status: user.hasPassword ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD',
  createdAt: user.createdAt.toISOString(),
  ...present('lastLoggedInAt', user.lastSignedInAt?.toISOString()),
});

const userInput = z
  .object({
    email: z.string(),
    givenName: z.string(),
    familyName: z.string(),
    role: z.object({ id: z.string().min(1).optional(), name: z.string().min(1).optional() }),
  })
  .refine(({ role }) => (role.id === undefined) !== (role.name === undefined), {
    path: ['role'],
    error: 'needs exactly one of id and name',
  });

const wantedUser = ({ role: { id, name }, ...user }: z.output<typeof userInput>) => ({
  ...user,
  role: id === undefined ? { kind: 'NAME', value: name } : { kind: 'ID', value: id },
});

export const userRoutes = [
  defineRoute({
    id: 'user#list',
    method: 'GET',
    path: '/users',
    summary: 'Users by e-mail.',
    operation: searchUsers,
    query: {
      cursor: optionalText('`next` of the page before.'),
      limit: limit({ usual: 60, max: 60 }),
      contains: optionalText('Part of name or e-mail, in any case.'),
      email: optionalText('The whole e-mail; all else is ignored then.'),
      id: textList('Ids of users.'),
      ids: commaList('Ids of users, with commas.'),
      'include-deactivated': flag('Also those who are switched off.'),
      status: optionalText('In this state.'),
    },
    answers: { 200: listOf(userShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const { users, endCursor } = await services.users.search(actor, {
        cursor: query.cursor,
        pageSize: query.limit,
        contains: query.contains,
        email: query.email,
        ids: [...query.id, ...query.ids],
        includesDeactivated: query['include-deactivated'],
        isConfirmed: query.status === undefined ? undefined : query.status === 'CONFIRMED',
      });
      return pageOf(users.map(userBody), endCursor);
    },
  }),
  defineRoute({
    id: 'user#create',
    method: 'POST',
    path: '/users',
    summary: 'Adds a user.',
    operation: operation('inviteUser'),
    body: userInput,
    answers: { 200: userShape },
    errors: [400],
    handle: async ({ body }, { actor, services }) => ({
      status: 200,
      body: userBody(await services.users.invite(actor, wantedUser(body))),
    }),
  }),
  defineRoute({
    id: 'user#get',
    method: 'GET',
    path: '/users/{id}',
    summary: 'One user.',
    operation: operation('userById'),
    answers: { 200: userShape },
    errors: [400, 404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: userBody(await services.users.byId(actor, { id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'user#update',
    method: 'POST',
    path: '/users/{id}',
    summary: 'Changes a user.',
    operation: operation('updateUser'),
    body: userInput,
    answers: { 200: userShape },
    errors: [400, 404],
    handle: async ({ params, body }, { actor, services }) => ({
      status: 200,
      body: userBody(await services.users.update(actor, { ...wantedUser(body), id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'user#delete',
    method: 'DELETE',
    path: '/users/{id}',
    summary: 'Deletes a user and ends their sessions.',
    operation: operation('deleteUser'),
    answers: { 200: null },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      await services.users.delete(actor, { id: params['id'] });
      return { status: 200 };
    },
  }),
];
