import type { Alert } from '#alerts';
import type { Batch } from '#ingestion';
import type { Resolvers } from '../generated/resolvers.ts';
import { batchProgress, newAlerts } from './watch.ts';

export const liveResolvers = {
  Subscription: {
    newAlerts: {
      subscribe: (_root, { input }, context) => newAlerts(input ?? {}, context),
      resolve: (alert: Alert) => alert,
    },
    batchProgress: {
      subscribe: (_root, { id }, context) => batchProgress(id, context),
      resolve: (batch: Batch) => batch,
    },
  },
} satisfies Resolvers;
