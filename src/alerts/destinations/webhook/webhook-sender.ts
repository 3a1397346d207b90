import type { Clock } from '#platform/clock';
import type { HttpClient } from '#platform/http-client';
import { type AttemptResult, attemptResultOf } from '../../delivery/delivery.ts';
import type { WebhookConfiguration } from '../destination.ts';
import { signatureOf } from './webhook-signature.ts';

type WebhookMessage = {
  readonly body: string;
  /** The same for every attempt of one delivery, so that a receiver can drop what it has. */
  readonly idempotencyKey: string;
  readonly traceId: string;
};

export type WebhookSender = {
  /** One attempt. Never throws: what went wrong is in the result. */
  send(configuration: WebhookConfiguration, message: WebhookMessage, signal?: AbortSignal): Promise<AttemptResult>;
};

type Deps = { readonly http: HttpClient; readonly clock: Clock };

export function createWebhookSender({ http, clock }: Deps): WebhookSender {
  return {
    async send({ url, headers, secret }, { body, idempotencyKey, traceId }, signal) {
      const outcome = await http.send({
        method: 'POST',
        url,
        headers: {
          'User-Agent': 'Margay',
          Accept: 'application/json',
          ...headers,
          'Content-Type': 'application/json',
          'Idempotency-Key': idempotencyKey,
          // W3C Trace Context: the delivery has no span of its own, so the parent is made of the trace.
          traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01`,
          ...(secret === null ? {} : { 'X-Margay-Signature': signatureOf(secret, body, clock.now()) }),
        },
        body,
        ...(signal === undefined ? {} : { signal }),
      });
      return attemptResultOf(outcome);
    },
  };
}
