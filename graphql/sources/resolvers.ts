import { actorOrNull } from '../actors.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

export const sourceResolvers = {
  Query: {
    sources: async (_root, { input }, { actor, services }) =>
      page(await services.sources.list(actor, { cursor: input?.cursor }), null),
    source: (_root, { id }, { actor, services }) => services.sources.find(actor, { id }),
    logSourceAlarm: (_root, alarm, { actor, services }) => services.alarms.get(actor, alarm),
    classificationFailures: (_root, { input }, { actor, services }) => services.sources.listFailures(actor, input),
  },
  Mutation: {
    createHttpSource: async (_root, { input }, { actor, services }) => ({
      logSource: await services.sources.create(actor, input),
    }),
    updateHttpSource: async (_root, { input }, { actor, services }) => ({
      logSource: await services.sources.update(actor, input),
    }),
    deleteSource: (_root, { input }, { actor, services }) => services.sources.delete(actor, input),
    setLogSourceAlarm: async (_root, { input }, { actor, services }) => ({
      alarm: await services.alarms.set(actor, input),
    }),
    deleteLogSourceAlarm: async (_root, { input }, { actor, services }) => {
      await services.alarms.delete(actor, input);
      return { type: input.type };
    },
  },
  LogIntegration: { __resolveType: () => 'HttpLogIntegration' },
  HttpLogIntegration: {
    authMethod: ({ auth }) => auth.method,
    createdAtTime: ({ createdAt }) => createdAt,
    createdBy: ({ createdBy }, _args, { loaders }) => actorOrNull(createdBy, loaders),
    integrationId: ({ id }) => id,
    integrationLabel: ({ label }) => label,
    integrationType: () => 'http',
    isEditable: () => true,
    lastEventProcessedAtTime: ({ lastReceivedAt }) => lastReceivedAt,
    lastEventReceivedAtTime: ({ lastReceivedAt }) => lastReceivedAt,
    lastModified: ({ updatedAt }) => updatedAt,
    logStreamType: ({ streamType }) => streamType,
    logStreamTypeOptions: ({ streamOptions }) => (Object.keys(streamOptions).length === 0 ? null : streamOptions),
  },
} satisfies Resolvers;
