import type { RootResolver } from '../context.ts';

const destinations: RootResolver = (_root, _args, { actor, services }) => services.destinations.list(actor, {});

const createWebhookDestination: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.destinations.createWebhook(actor, input);

const deleteDestination: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.destinations.delete(actor, input);

export const destinationResolvers = {
  Query: { destinations },
  Mutation: { createWebhookDestination, deleteDestination },
};
