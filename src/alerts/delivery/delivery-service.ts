import type { Clock } from '#platform/clock';
import { errorText } from '#platform/errors';
import type { OutboundClient } from '#platform/http-client';
import type { Log } from '#platform/log';
import type { Database } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import type { Alert } from '../alert.ts';
import { findAlert } from '../alert-store.ts';
import { destinationPurpose, type WebhookConfiguration } from '../destinations/destination-service.ts';
import { findDestination } from '../destinations/destination-store.ts';
import { signatureOf, webhookBody } from '../destinations/webhook/webhook-message.ts';
import { afterAttempt, type AttemptOutcome, type Delivery } from './delivery.ts';
import { beginAttempt, finishAttempt, listDue } from './delivery-store.ts';

type Due = { readonly tenantId: string; readonly deliveryId: string };

export type DeliveryService = {
  /** Makes one attempt if the delivery is due. Nothing to do is fine: the job may come twice. */
  deliver(due: Due): Promise<void>;
  listDue(limit: number): Promise<readonly Due[]>;
};

type Deps = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly outbound: OutboundClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Address of the deployment, for the link to the alert. */
  readonly publicUrl: string;
  /** Between 0 and 1: spreads retries of many deliveries. */
  readonly random: () => number;
};

const timeoutMs = 10_000;
/** While an attempt may still run, its row is not due. */
const attemptSeconds = 60;

type Taken = { readonly delivery: Delivery; readonly alert: Alert; readonly configuration: WebhookConfiguration };

async function take({ database, secrets, clock }: Deps, { tenantId, deliveryId }: Due): Promise<Taken | undefined> {
  return database.withTenant(tenantId, async (tx) => {
    const delivery = await beginAttempt(tx, deliveryId, clock.now(), attemptSeconds);
    const alert = delivery && (await findAlert(tx, delivery.alertId));
    const found = delivery && (await findDestination(tx, delivery.destinationId));
    if (!delivery || !alert || !found) return undefined;
    const text = await secrets.decrypt(tx, destinationPurpose(delivery.destinationId), found.configuration);
    return { delivery, alert, configuration: JSON.parse(text) as WebhookConfiguration };
  });
}

async function send(
  { outbound, clock, publicUrl }: Deps,
  { delivery, alert, configuration }: Taken,
): Promise<AttemptOutcome> {
  const body = webhookBody(alert, `${publicUrl}/console/alerts/${alert.id}`);
  const unixSeconds = Math.floor(clock.now().getTime() / 1000);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Margay',
    'idempotency-key': delivery.id,
    traceparent: `00-${alert.traceId}-${alert.traceId.slice(0, 16)}-01`,
    ...(configuration.secret === undefined
      ? {}
      : { 'x-margay-signature': signatureOf(configuration.secret, unixSeconds, body) }),
  };
  try {
    const { status, body: answer } = await outbound.post(configuration.url, { headers, body, timeoutMs });
    return {
      statusCode: status,
      message: status < 300 ? 'delivered' : `the destination answered ${status}: ${answer.slice(0, 200)}`,
    };
  } catch (error) {
    return { statusCode: undefined, message: `the destination was not reached: ${errorText(error)}` };
  }
}

export function createDeliveryService(deps: Deps): DeliveryService {
  return {
    async deliver(due) {
      const taken = await take(deps, due);
      if (taken === undefined) return;
      const outcome = await send(deps, taken);
      const now = deps.clock.now();
      const next = afterAttempt(taken.delivery.attempts, outcome, now, deps.random());
      await deps.database.withTenant(due.tenantId, (tx) => finishAttempt(tx, due.deliveryId, outcome, next, now));
      const latencyMs = now.getTime() - taken.alert.receivedAt.getTime();
      deps.log.info('alert_delivery', {
        ...due,
        state: next.state,
        statusCode: outcome.statusCode,
        attempt: taken.delivery.attempts,
        traceId: taken.alert.traceId,
        receivedToNowMs: latencyMs,
      });
    },
    listDue: (limit) => deps.database.withSystem('due deliveries of all tenants', (tx) => listDue(tx, limit)),
  };
}
