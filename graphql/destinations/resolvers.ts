import type { Resolvers } from '../generated/resolvers.ts';

export const destinationResolvers = {
  Query: {
    destinations: (_root, _args, { actor, services }) => services.destinations.list(actor, {}),
    destination: (_root, { id }, { actor, services }) => services.destinations.get(actor, { id }),
  },
  Mutation: {
    createWebhookDestination: (_root, { input }, { actor, services }) =>
      services.destinations.createWebhook(actor, input),
    updateWebhookDestination: (_root, { input }, { actor, services }) =>
      services.destinations.updateWebhook(actor, input),
    deleteDestination: (_root, { input }, { actor, services }) => services.destinations.delete(actor, input),
    sendTestAlert: (_root, { input }, { actor, services }) => services.destinations.sendTest(actor, input),
  },
  TestAlertResult: { outputId: ({ destinationId }) => destinationId },
} satisfies Resolvers;
