import type { Alert } from '#alerts';
import type { GraphqlContext, RootResolver } from '../context.ts';
import { page } from '../page.ts';

const alerts: RootResolver<{ input: { cursor?: string | null } }> = async (_root, { input }, { actor, services }) => {
  const found = await services.alerts.list(actor, input);
  return page(found.alerts, found.endCursor, input.cursor);
};

const alert: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) => services.alerts.get(actor, { id });

const updateAlertStatusById: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  alerts: await services.alerts.updateStatus(actor, input),
});

const createAlertComment: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  comment: await services.alerts.comment(actor, input),
});

type EventsArguments = {
  readonly input?: { readonly cursor?: string | null; readonly pageSize?: number | null } | null;
};

export const alertResolvers = {
  Query: { alerts, alert },
  Mutation: { updateAlertStatusById, createAlertComment },
  Alert: {
    origin: ({ detectionId, detectionName }: Alert) => ({ id: detectionId, name: detectionName }),
    firstEventOccurredAt: ({ firstEventAt }: Alert) => firstEventAt,
    lastReceivedEventAt: ({ lastEventAt }: Alert) => lastEventAt,
    comments: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.comments.load(id),
    deliveries: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.deliveries.load(id),
    events: async (of: Alert, { input }: EventsArguments, { actor, services }: GraphqlContext) => {
      const cursor = input?.cursor || undefined;
      const size = Math.min(Math.max(input?.pageSize ?? 25, 1), 100);
      const found = await services.alerts.events(actor, of, { size, ...(cursor === undefined ? {} : { cursor }) });
      return page(found.rows, found.endCursor, cursor);
    },
  },
  AlertComment: { author: ({ authorName }: { authorName: string }) => authorName },
};
