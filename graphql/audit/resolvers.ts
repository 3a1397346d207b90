import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

export const auditResolvers = {
  Query: {
    auditEvents: async (_root, { input }, { actor, services }) => {
      const found = await services.audit.list(actor, input ?? {});
      return page(found.events, found.endCursor, input?.cursor);
    },
  },
} satisfies Resolvers;
