import { createHmac } from 'node:crypto';
import type { Alert } from '../../alert.ts';

/** Body of a webhook: the field names that receivers of the commercial product already read. */
export function webhookBody(alert: Alert, link: string): string {
  return JSON.stringify({
    id: alert.detectionId,
    createdAt: alert.createdAt.toISOString(),
    severity: alert.severity,
    type: alert.type,
    link,
    title: alert.title,
    name: alert.detectionName,
    alertId: alert.id,
    description: alert.description,
    runbook: alert.runbook,
    reference: alert.reference,
    tags: alert.tags,
    version: '',
    alertContext: alert.context ?? {},
    logTypes: alert.logTypes,
    alertContextEvents: [],
  });
}

/**
 * Signature of a body, for `X-Margay-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<body>`. The time is
 * signed too, so that a receiver can refuse old copies.
 */
export function signatureOf(secret: string, unixSeconds: number, body: string): string {
  return `t=${unixSeconds},v1=${createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex')}`;
}
