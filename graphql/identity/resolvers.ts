import type { ApiToken } from '#identity';
import type { RootResolver } from '../context.ts';

const isSignedIn: RootResolver = () => true;

const apiTokens: RootResolver = (_root, _args, { actor, services }) => services.tokens.list(actor, {});

const createAPIToken: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.tokens.create(actor, input);

const deleteAPIToken: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.tokens.delete(actor, input);

const rotateAPIToken: RootResolver = (_root, _args, { actor, services }) => services.tokens.rotateOwn(actor, {});

export const identityResolvers = {
  Query: { isSignedIn, apiTokens },
  Mutation: { createAPIToken, deleteAPIToken, rotateAPIToken },
  APIToken: { allowedCIDRBlocks: ({ allowedCidrBlocks }: ApiToken) => allowedCidrBlocks },
};
