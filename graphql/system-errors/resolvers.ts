import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

export const systemErrorResolvers = {
  Query: {
    systemErrors: async (_root, { input }, { actor, services }) => {
      const found = await services.systemErrors.list(actor, input ?? {});
      return page(found.systemErrors, found.endCursor, input?.cursor);
    },
  },
  Mutation: {
    resolveSystemError: (_root, { input }, { actor, services }) => services.systemErrors.resolve(actor, input),
  },
} satisfies Resolvers;
