import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

export const savedQueryResolvers = {
  Query: {
    savedQueries: async (_root, { input }, { actor, services }) => {
      const found = await services.savedSearches.list(actor, input ?? {});
      return page(found.searches, found.endCursor, input?.cursor);
    },
    savedQuery: (_root, { name }, { actor, services }) => services.savedSearches.get(actor, { name }),
    savedQueryVersions: async (_root, { name }, { actor, services }) => [
      ...(await services.savedSearches.versions(actor, { name })),
    ],
  },
  Mutation: {
    createSavedQuery: (_root, { input }, { actor, services }) => services.savedSearches.create(actor, input),
    updateSavedQuery: (_root, { input }, { actor, services }) => services.savedSearches.update(actor, input),
    executeSavedQuery: (_root, { input }, { actor, services }) => services.savedSearches.execute(actor, input),
  },
} satisfies Resolvers;
