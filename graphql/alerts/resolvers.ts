import type { AlertOrigin } from '#alerts';
import { relatedComponentOf, systemErrorTypeOf } from '#system-errors';
import { actorOf, actorOrNull } from '../actors.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';
import { alertOrigin, isDetection, isSystemError } from './alert-origin.ts';

export const alertResolvers = {
  Query: {
    alerts: async (_root, { input }, { actor, services }) => {
      const found = await services.alerts.list(actor, input);
      return page(found.alerts, found.endCursor, input.cursor);
    },
    alert: (_root, { id }, { actor, services }) => services.alerts.get(actor, { id }),
  },
  Mutation: {
    updateAlertStatusById: async (_root, { input }, { actor, services }) => ({
      alerts: await services.alerts.updateStatus(actor, input),
    }),
    updateAlertsAssigneeById: async (_root, { input }, { actor, services }) => ({
      alerts: await services.alerts.updateAssigneeById(actor, input),
    }),
    updateAlertsAssigneeByEmail: async (_root, { input }, { actor, services }) => ({
      alerts: await services.alerts.updateAssigneeByEmail(actor, input),
    }),
    createAlertComment: async (_root, { input }, { actor, services }) => ({
      comment: await services.alerts.createComment(actor, input),
    }),
    retryDelivery: async (_root, { input }, { actor, services }) => ({
      delivery: await services.alerts.retryDelivery(actor, input),
    }),
  },
  AlertOrigin: {
    __resolveType: (origin) =>
      isSystemError(origin) ? 'SystemError' : isDetection(origin) ? 'Detection' : 'DeletedDetection',
  },
  CommentEntity: { __resolveType: () => 'Alert' },
  SystemError: {
    type: ({ type }) => systemErrorTypeOf(type),
    relatedComponent: ({ type }) => relatedComponentOf(type) ?? 'LOG_SOURCE',
  },
  Detection: {
    type: ({ kind }) => (kind === 'SCHEDULED_RULE' || kind === 'POLICY' || kind === 'CORRELATION_RULE' ? kind : 'RULE'),
  },
  Alert: {
    assignee: ({ assigneeId }, _args, { loaders }) => (assigneeId === null ? null : loaders.users.load(assigneeId)),
    context: ({ id }, _args, { loaders }) => loaders.contexts.load(id),
    firstEventOccurredAt: ({ firstEventAt }) => firstEventAt,
    lastReceivedEventAt: ({ lastReceivedAt }) => lastReceivedAt,
    receivedAt: ({ firstReceivedAt }) => firstReceivedAt,
    origin: ({ origin }: { readonly origin: AlertOrigin }, _args, { loaders }) => alertOrigin(origin, loaders),
    updatedBy: ({ updatedBy }, _args, { loaders }) => actorOrNull(updatedBy, loaders),
    comments: ({ id }, _args, { loaders }) => loaders.comments.load(id),
    deliveries: ({ id }, _args, { loaders }) => loaders.attempts.load(id),
    deliveryStates: ({ id }, _args, { loaders }) => loaders.deliveries.load(id),
    events: async ({ id }, { input }, { actor, services }) => {
      const found = await services.alerts.listEvents(actor, { ...input, alertId: id });
      return page(found.rows, found.endCursor, input?.cursor);
    },
  },
  AlertDelivery: {
    outputId: ({ destinationId }) => destinationId,
    label: () => '',
    url: () => '',
  },
  Comment: {
    createdBy: ({ createdBy }, _args, { loaders }) => actorOf(createdBy, loaders),
    entity: ({ alertId }, _args, { actor, services }) => services.alerts.get(actor, { id: alertId }),
  },
} satisfies Resolvers;
