import type { ApiToken, User } from '#identity';
import type { RootResolver } from '../context.ts';

const isSignedIn: RootResolver = () => true;

const apiTokens: RootResolver = (_root, _args, { actor, services }) => services.tokens.list(actor, {});

const createAPIToken: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.tokens.create(actor, input);

const deleteAPIToken: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.tokens.delete(actor, input);

const rotateAPIToken: RootResolver = (_root, _args, { actor, services }) => services.tokens.rotateOwn(actor, {});

const users: RootResolver = (_root, _args, { actor, services }) => services.users.list(actor, {});

const userById: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.users.byId(actor, { id });

const userByEmail: RootResolver<{ email: string }> = (_root, { email }, { actor, services }) =>
  services.users.byEmail(actor, { email });

const inviteUser: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  user: await services.users.invite(actor, input),
});

const updateUser: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  user: await services.users.update(actor, input),
});

const deleteUser: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.users.delete(actor, input);

const roles: RootResolver<{ input?: unknown }> = (_root, { input }, { actor, services }) =>
  services.roles.list(actor, input ?? {});

const roleById: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.roles.byId(actor, { id });

const roleByName: RootResolver<{ name: string }> = (_root, { name }, { actor, services }) =>
  services.roles.byName(actor, { name });

const createRole: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  role: await services.roles.create(actor, input),
});

const updateRole: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  role: await services.roles.update(actor, input),
});

const deleteRole: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.roles.delete(actor, input);

export const identityResolvers = {
  Query: { isSignedIn, apiTokens, users, userById, userByEmail, roles, roleById, roleByName },
  Mutation: {
    createAPIToken,
    deleteAPIToken,
    rotateAPIToken,
    inviteUser,
    updateUser,
    deleteUser,
    createRole,
    updateRole,
    deleteRole,
  },
  User: {
    status: ({ hasPassword }: User) => (hasPassword ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD'),
    enabled: ({ isEnabled }: User) => isEnabled,
    lastLoggedInAt: ({ lastSignedInAt }: User) => lastSignedInAt,
  },
  APIToken: { allowedCIDRBlocks: ({ allowedCidrBlocks }: ApiToken) => allowedCidrBlocks },
};
