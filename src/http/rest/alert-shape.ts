import { z } from 'zod';
import type { Alert, DeliveryAttempt } from '#alerts';
import { actorOf, actorShape, present, qualityNames, severityNames, statusNames, timestamp } from './shapes.ts';

const deliveryShape = z.object({
  dispatchedAt: timestamp,
  label: z.string(),
  message: z.string(),
  outputId: z.string(),
  statusCode: z.int(),
  success: z.boolean(),
});

/** An alert as REST shows it. */
export const alertShape = z.object({
  id: z.string(),
  type: z.string(),
  status: statusNames,
  severity: severityNames.optional(),
  quality: qualityNames.optional(),
  title: z.string().optional(),
  runbook: z.string().optional(),
  createdAt: timestamp.optional(),
  firstEventOccurredAt: timestamp.optional(),
  lastReceivedEventAt: timestamp.optional(),
  eventCount: z.int().optional(),
  context: z.unknown().optional(),
  contextTags: z.array(z.string()).max(10).optional(),
  assignee: actorShape.optional(),
  updatedBy: actorShape.optional(),
  detection: z.object({ id: z.string(), type: z.string() }).optional(),
  systemError: z.object({ type: z.string() }).optional(),
  deliveries: z.array(deliveryShape).optional(),
});

const detectionTypes: Readonly<Record<string, string>> = {
  SCHEDULED_RULE: 'SCHEDULED_RULE',
  SCHEDULED_RULE_ERROR: 'SCHEDULED_RULE',
  POLICY: 'POLICY',
  CORRELATION_RULE: 'CORRELATION_RULE',
  CORRELATION_RULE_ERROR: 'CORRELATION_RULE',
};

const delivery = ({ dispatchedAt, message, destinationId, statusCode, success }: DeliveryAttempt) => ({
  dispatchedAt: dispatchedAt.toISOString(),
  label: '',
  message,
  outputId: destinationId,
  statusCode,
  success,
});

export function alertBody(
  alert: Alert,
  context: unknown,
  attempts: readonly DeliveryAttempt[],
): z.input<typeof alertShape> {
  const { origin, type } = alert;
  return {
    id: alert.id,
    type,
    status: alert.status,
    severity: alert.severity,
    title: alert.title,
    runbook: alert.runbook,
    createdAt: alert.createdAt.toISOString(),
    ...present('firstEventOccurredAt', alert.firstEventAt?.toISOString()),
    lastReceivedEventAt: alert.lastReceivedAt.toISOString(),
    eventCount: alert.eventCount,
    ...present('context', context),
    contextTags: [...alert.contextTags],
    ...present('quality', alert.quality),
    ...present('assignee', alert.assigneeId === null ? null : { id: alert.assigneeId, type: 'user' as const }),
    ...present('updatedBy', alert.updatedBy && actorOf(alert.updatedBy)),
    ...(origin.kind === 'detection'
      ? { detection: { id: origin.id, type: detectionTypes[type] ?? 'RULE' } }
      : { systemError: { type: origin.type } }),
    deliveries: attempts.map(delivery),
  };
}
