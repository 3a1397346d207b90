import { actorOrNull, userOf } from '../actors.ts';
import type { Resolvers } from '../generated/resolvers.ts';

const withValue = <Token extends object>({ token, value }: { readonly token: Token; readonly value: string }) => ({
  token: { ...token, value },
});

export const identityResolvers = {
  Query: {
    isSignedIn: () => true,
    apiTokens: (_root, _args, { actor, services }) => services.tokens.list(actor, {}),
    retention: (_root, _args, { actor, services }) => services.retention.find(actor, {}),
    users: (_root, _args, { actor, services }) => services.users.list(actor, {}),
    userById: (_root, { id }, { actor, services }) => services.users.byId(actor, { id }),
    userByEmail: (_root, { email }, { actor, services }) => services.users.byEmail(actor, { email }),
    roles: (_root, { input }, { actor, services }) => services.roles.list(actor, input ?? {}),
    roleById: (_root, { id }, { actor, services }) => services.roles.byId(actor, { id }),
    roleByName: (_root, { name }, { actor, services }) => services.roles.byName(actor, { name }),
  },
  Mutation: {
    createAPIToken: async (_root, { input }, { actor, services }) =>
      withValue(await services.tokens.create(actor, input)),
    updateAPIToken: async (_root, { input }, { actor, services }) => ({
      token: await services.tokens.update(actor, input),
    }),
    deleteAPIToken: (_root, { input }, { actor, services }) => services.tokens.delete(actor, input),
    rotateAPIToken: async (_root, _args, { actor, services }) => withValue(await services.tokens.rotateOwn(actor, {})),
    inviteUser: async (_root, { input }, { actor, services }) => ({ user: await services.users.invite(actor, input) }),
    updateUser: async (_root, { input }, { actor, services }) => ({ user: await services.users.update(actor, input) }),
    deleteUser: (_root, { input }, { actor, services }) => services.users.delete(actor, input),
    createRole: async (_root, { input }, { actor, services }) => ({ role: await services.roles.create(actor, input) }),
    updateRole: async (_root, { input }, { actor, services }) => ({ role: await services.roles.update(actor, input) }),
    deleteRole: (_root, { input }, { actor, services }) => services.roles.delete(actor, input),
    updateRetention: (_root, { input }, { actor, services }) => services.retention.update(actor, input),
  },
  Actor: { __resolveType: (actor) => ('permissions' in actor ? 'APIToken' : 'User') },
  User: {
    status: ({ hasPassword, isGone }) => (isGone ? 'ARCHIVED' : hasPassword ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD'),
    enabled: ({ isEnabled }) => isEnabled,
    lastLoggedInAt: ({ lastSignedInAt }) => lastSignedInAt,
  },
  Role: {
    logTypeAccess: ({ logTypeAccess, logTypeAccessKind: kind }) =>
      kind === 'ALLOW' || kind === 'DENY' ? logTypeAccess : null,
    updatedBy: ({ updatedBy }, _args, { loaders }) => actorOrNull(updatedBy, loaders),
  },
  APIToken: {
    allowedCIDRBlocks: ({ allowedCidrBlocks }) => allowedCidrBlocks,
    createdBy: ({ createdBy }, _args, { loaders }) => userOf(createdBy, loaders),
    rotatedBy: ({ rotatedBy }, _args, { loaders }) => actorOrNull(rotatedBy, loaders),
    updatedBy: ({ updatedBy }, _args, { loaders }) => (updatedBy === null ? null : userOf(updatedBy, loaders)),
  },
} satisfies Resolvers;
