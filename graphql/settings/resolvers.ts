import type { Resolvers } from '../generated/resolvers.ts';

type Settings = { readonly version: string; readonly allowedOrigins: readonly string[] };

const settingsOf = ({ version, allowedOrigins }: Settings) => ({ pantherVersion: version, allowedOrigins });

export const settingsResolvers = {
  Query: {
    generalSettings: async (_root, _args, { actor, services }) =>
      settingsOf(await services.settings.general(actor, {})),
  },
  Mutation: {
    updateGeneralSettings: async (_root, { input }, { actor, services }) => ({
      generalSettings: settingsOf(await services.settings.update(actor, input)),
    }),
  },
} satisfies Resolvers;
