import type { FailureReason, OutboundOutcome } from '#platform/http-client';
import type { AlertId } from '../alert.ts';

export type DeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED';

/** An alert on its way to one destination. */
export type Delivery = {
  readonly id: string;
  readonly alertId: AlertId;
  readonly destinationId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Null when no further attempt is planned. */
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
};

/** One line of the delivery log. */
export type DeliveryAttempt = {
  readonly deliveryId: string;
  readonly alertId: AlertId;
  readonly destinationId: string;
  readonly attempt: number;
  readonly dispatchedAt: Date;
  readonly durationMs: number;
  readonly success: boolean;
  /** Of the receiver; 504 when it did not answer in time, 500 for other trouble on the way. */
  readonly statusCode: number;
  /** Beginning of the receiver's answer, or what went wrong. */
  readonly message: string;
};

export type AttemptResult = {
  readonly success: boolean;
  /** Sending the same again cannot help. */
  readonly isFinal: boolean;
  readonly statusCode: number;
  readonly message: string;
  /** What the receiver asked for (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds: number | null;
};

const excerptMax = 256;

/** Little is told about what stands at private addresses: the delivery log must not become a port scanner. */
const failureTexts: Readonly<Record<FailureReason, string>> = {
  name_not_found: 'The name of the receiver could not be resolved.',
  timeout: 'The receiver did not answer in time.',
  tls: 'No trusted TLS connection to the receiver could be made.',
  connection: 'The receiver could not be reached.',
};

const isSuccess = (status: number): boolean => status >= 200 && status < 300;
const isRefusal = (status: number): boolean => status >= 300 && status < 500 && status !== 408 && status !== 429;

function excerptOf(outcome: Extract<OutboundOutcome, { kind: 'response' }>): string {
  const { status, body, isPublicAddress } = outcome;
  if (status >= 300 && status < 400) return 'The receiver redirects; redirects are not followed.';
  if (!isPublicAddress || status >= 500) return '';
  return body.toString('utf8').replaceAll('\0', '').slice(0, excerptMax).toWellFormed();
}

function retryAfterOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): number | null {
  const value = headers['retry-after'];
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : null;
}

/** 2xx is success. 408, 429, 5xx and trouble on the way may pass; redirects and other 4xx will not. */
export function attemptResultOf(outcome: OutboundOutcome): AttemptResult {
  switch (outcome.kind) {
    case 'response':
      return {
        success: isSuccess(outcome.status),
        isFinal: isRefusal(outcome.status),
        statusCode: outcome.status,
        message: excerptOf(outcome),
        retryAfterSeconds: retryAfterOf(outcome.headers),
      };
    case 'refused':
      return { success: false, isFinal: true, statusCode: 500, message: outcome.reason, retryAfterSeconds: null };
    case 'failed':
      return {
        success: false,
        isFinal: false,
        statusCode: outcome.reason === 'timeout' ? 504 : 500,
        message: failureTexts[outcome.reason],
        retryAfterSeconds: null,
      };
  }
}

/** The first attempt and ten more. */
export const attemptsMax = 11;

const firstPauseMs = 30_000;
const pauseMaxMs = 4 * 3_600_000;

/**
 * Pause after the nth failed attempt: 30 seconds, doubled each time up to four hours, of which the second half is left
 * to chance so that many deliveries do not come back at once. All attempts together take 5 to 9 hours.
 */
export function pauseMs(attempt: number, retryAfterSeconds: number | null, random: number): number {
  const base = Math.min(firstPauseMs * 2 ** (attempt - 1), pauseMaxMs);
  const asked = Math.min((retryAfterSeconds ?? 0) * 1000, pauseMaxMs);
  return Math.round(Math.max(base * (0.5 + random / 2), asked));
}

export type Settlement =
  | { readonly state: 'DELIVERED' }
  | { readonly state: 'FAILED' }
  | { readonly state: 'PENDING'; readonly nextAttemptAt: Date };

/** What becomes of a delivery after an attempt. */
export function settle(
  result: AttemptResult,
  {
    attemptsMade,
    attemptsLeft,
    now,
    random,
  }: { readonly attemptsMade: number; readonly attemptsLeft: number; readonly now: Date; readonly random: number },
): Settlement {
  if (result.success) return { state: 'DELIVERED' };
  if (result.isFinal || attemptsLeft <= 0) return { state: 'FAILED' };
  const pause = pauseMs(attemptsMade, result.retryAfterSeconds, random);
  return { state: 'PENDING', nextAttemptAt: new Date(now.getTime() + pause) };
}
