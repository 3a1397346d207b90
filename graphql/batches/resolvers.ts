import type { Resolvers } from '../generated/resolvers.ts';

export const batchResolvers = {
  Query: { batch: (_root, { id }, { actor, services }) => services.batches.get(actor, { id }) },
  Mutation: { replayBatch: (_root, { input }, { actor, services }) => services.batches.replay(actor, input) },
} satisfies Resolvers;
