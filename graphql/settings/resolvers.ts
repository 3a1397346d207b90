import type { Resolvers } from '../generated/resolvers.ts';

export const settingsResolvers = {
  Query: {
    generalSettings: async (_root, _args, { actor, services }) => ({
      pantherVersion: (await services.settings.general(actor, {})).version,
    }),
  },
} satisfies Resolvers;
