import { z } from 'zod';
import { type Role, userOperations } from '#identity';
import { commaList, optional, optionalText, textList } from './query.ts';
import { defineRoute, operationIn } from './route.ts';
import { listOf, pageOf, permissionNames, timestamp } from './shapes.ts';

const operation = operationIn(userOperations);

const accessKinds = z.enum(['ALLOW', 'ALLOW_ALL', 'DENY', 'DENY_ALL']);

const roleShape = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(permissionNames),
  logTypeAccessKind: accessKinds,
  logTypeAccess: z.array(z.string()).optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
});

const roleBody = (role: Role): z.input<typeof roleShape> => ({
  id: role.id,
  name: role.name,
  permissions: [...role.permissions],
  logTypeAccessKind: role.logTypeAccessKind,
  ...(role.logTypeAccessKind === 'ALLOW' || role.logTypeAccessKind === 'DENY'
    ? { logTypeAccess: [...role.logTypeAccess] }
    : {}),
  createdAt: role.createdAt.toISOString(),
  updatedAt: role.updatedAt.toISOString(),
});

const roleInput = z.object({
  name: z.string(),
  permissions: z.array(permissionNames),
  logTypeAccessKind: accessKinds.nullish(),
  logTypeAccess: z.array(z.string()).nullish(),
});

export const roleRoutes = [
  defineRoute({
    id: 'role#list',
    method: 'GET',
    path: '/roles',
    summary: 'Roles by name.',
    operation: operation('roles'),
    query: {
      'name-contains': optionalText('Part of the name, in any case.'),
      name: optionalText('The whole name; all else is ignored then.'),
      id: textList('Ids of roles.'),
      ids: commaList('Ids of roles, with commas.'),
      'sort-dir': optional(z.enum(['asc', 'desc']), 'asc when absent.'),
    },
    answers: { 200: listOf(roleShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const found = await services.roles.list(actor, {
        nameContains: query['name-contains'],
        name: query.name,
        ids: [...query.id, ...query.ids],
        sortDir: query['sort-dir'] === 'desc' ? 'descending' : 'ascending',
      });
      return pageOf(found.map(roleBody), null);
    },
  }),
  defineRoute({
    id: 'role#create',
    method: 'POST',
    path: '/roles',
    summary: 'Adds a role.',
    operation: operation('createRole'),
    body: roleInput,
    answers: { 200: roleShape },
    errors: [400],
    handle: async ({ body }, { actor, services }) => ({
      status: 200,
      body: roleBody(await services.roles.create(actor, body)),
    }),
  }),
  defineRoute({
    id: 'role#get',
    method: 'GET',
    path: '/roles/{id}',
    summary: 'One role.',
    operation: operation('roleById'),
    answers: { 200: roleShape },
    errors: [400, 404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: roleBody(await services.roles.byId(actor, { id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'role#update',
    method: 'POST',
    path: '/roles/{id}',
    summary: 'Changes a role; permissions replace the whole set.',
    operation: operation('updateRole'),
    body: roleInput,
    answers: { 200: roleShape },
    errors: [400, 404],
    handle: async ({ params, body }, { actor, services }) => ({
      status: 200,
      body: roleBody(await services.roles.update(actor, { ...body, id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'role#delete',
    method: 'DELETE',
    path: '/roles/{id}',
    summary: 'Deletes a role that nobody has.',
    operation: operation('deleteRole'),
    answers: { 200: null },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      await services.roles.delete(actor, { id: params['id'] });
      return { status: 200 };
    },
  }),
];
