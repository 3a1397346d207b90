import type { RootResolver } from '../context.ts';

type Change = RootResolver<{ input: unknown }>;

const destinations: RootResolver = (_root, _args, { actor, services }) => services.destinations.list(actor, {});

const destination: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.destinations.get(actor, { id });

const createWebhookDestination: Change = (_root, { input }, { actor, services }) =>
  services.destinations.createWebhook(actor, input);

const updateWebhookDestination: Change = (_root, { input }, { actor, services }) =>
  services.destinations.updateWebhook(actor, input);

const deleteDestination: Change = (_root, { input }, { actor, services }) => services.destinations.delete(actor, input);

const sendTestAlert: Change = (_root, { input }, { actor, services }) => services.destinations.sendTest(actor, input);

export const destinationResolvers = {
  Query: { destinations, destination },
  Mutation: { createWebhookDestination, updateWebhookDestination, deleteDestination, sendTestAlert },
  TestAlertResult: { outputId: ({ destinationId }: { destinationId: string }) => destinationId },
};
