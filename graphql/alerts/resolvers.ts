import type { Alert, AlertComment, AlertOrigin } from '#alerts';
import { relatedComponentOf } from '#system-errors';
import type { GraphqlContext, RootResolver } from '../context.ts';
import { page } from '../page.ts';

type Change = RootResolver<{ input: unknown }>;

const alerts: RootResolver<{ input: { cursor?: string | null } }> = async (_root, { input }, { actor, services }) => {
  const found = await services.alerts.list(actor, input);
  return page(found.alerts, found.endCursor, input.cursor);
};

const alert: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) => services.alerts.get(actor, { id });

const updateAlertStatusById: Change = async (_root, { input }, { actor, services }) => ({
  alerts: await services.alerts.updateStatus(actor, input),
});

const updateAlertsAssigneeById: Change = async (_root, { input }, { actor, services }) => ({
  alerts: await services.alerts.updateAssigneeById(actor, input),
});

const updateAlertsAssigneeByEmail: Change = async (_root, { input }, { actor, services }) => ({
  alerts: await services.alerts.updateAssigneeByEmail(actor, input),
});

const createAlertComment: Change = async (_root, { input }, { actor, services }) => ({
  comment: await services.alerts.createComment(actor, input),
});

const retryDelivery: Change = async (_root, { input }, { actor, services }) => ({
  delivery: await services.alerts.retryDelivery(actor, input),
});

type EventsArguments = {
  readonly input?: { readonly cursor?: string | null; readonly pageSize?: number | null } | null;
};

export const alertResolvers = {
  Query: { alerts, alert },
  Mutation: {
    updateAlertStatusById,
    updateAlertsAssigneeById,
    updateAlertsAssigneeByEmail,
    createAlertComment,
    retryDelivery,
  },
  AlertOrigin: { __resolveType: ({ kind }: AlertOrigin) => (kind === 'detection' ? 'Detection' : 'SystemError') },
  SystemError: { relatedComponent: ({ type }: { type: string }) => relatedComponentOf(type) },
  Alert: {
    assignee: ({ assigneeId }: Alert, _args: unknown, { loaders }: GraphqlContext) =>
      assigneeId && loaders.users.load(assigneeId),
    context: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.contexts.load(id),
    firstEventOccurredAt: ({ firstEventAt }: Alert) => firstEventAt,
    lastReceivedEventAt: ({ lastReceivedAt }: Alert) => lastReceivedAt,
    receivedAt: ({ firstReceivedAt }: Alert) => firstReceivedAt,
    updatedByName: ({ updatedBy }: Alert) => updatedBy?.name,
    comments: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.comments.load(id),
    deliveries: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.attempts.load(id),
    deliveryStates: ({ id }: Alert, _args: unknown, { loaders }: GraphqlContext) => loaders.deliveries.load(id),
    events: async ({ id }: Alert, { input }: EventsArguments, { actor, services }: GraphqlContext) => {
      const found = await services.alerts.listEvents(actor, { ...input, alertId: id });
      return page(found.rows, found.endCursor, input?.cursor);
    },
  },
  AlertDelivery: {
    outputId: ({ destinationId }: { destinationId: string }) => destinationId,
    label: () => '',
    url: () => '',
  },
  Comment: { author: ({ createdBy }: AlertComment) => createdBy.name },
};
