import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

export const schemaResolvers = {
  Query: {
    schemas: async (_root, { input }, { actor, services }) => page(await services.schemas.list(actor, input), null),
  },
  Mutation: {
    createOrUpdateSchema: async (_root, { input }, { actor, services }) => ({
      schema: await services.schemas.save(actor, input),
    }),
    updateSchemaStatus: async (_root, { input }, { actor, services }) => ({
      schema: await services.schemas.setStatus(actor, input),
    }),
  },
  Schema: {
    referenceURL: ({ referenceUrl }) => referenceUrl,
    discoveredSpec: () => '',
    createdAt: ({ createdAt }) => createdAt.toISOString(),
    updatedAt: ({ updatedAt }) => updatedAt.toISOString(),
  },
} satisfies Resolvers;
