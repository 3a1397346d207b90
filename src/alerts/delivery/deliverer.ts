import type { Clock } from '#platform/clock';
import type { Log } from '#platform/log';
import type { Database, TenantTx } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import type { SystemErrorRecorder } from '#system-errors';
import type { Alert } from '../alert.ts';
import { findAlert, findContexts } from '../alert-store.ts';
import { destinationPurpose, parseConfiguration, type WebhookConfiguration } from '../destinations/destination.ts';
import { findDestination } from '../destinations/destination-store.ts';
import { webhookBody } from '../destinations/webhook/webhook-payload.ts';
import type { WebhookSender } from '../destinations/webhook/webhook-sender.ts';
import { type AttemptResult, attemptsMax, settle, type Settlement } from './delivery.ts';
import { type Claim, claimDelivery, claimNext, insertAttempt, saveSettlement } from './delivery-store.ts';

/** Told after each attempt that ended a delivery, for metrics. */
export type DeliveryObserver = (event: {
  readonly tenantId: string;
  readonly state: 'DELIVERED' | 'FAILED';
  readonly attempts: number;
  /** From the arrival of the alert's first event to now. */
  readonly receivedToSettledMs: number;
}) => void;

export type Deliverer = {
  /**
   * Attempts a delivery that is due, then others of the same destination while they succeed and time is left. Nothing
   * happens when it is done, not due, or somebody else has it. The outcome is in the delivery's row, never thrown.
   */
  deliver(tenantId: string, deliveryId: string, signal?: AbortSignal): Promise<void>;
};

type Deps = {
  readonly database: Database;
  readonly secrets: Pick<Secrets, 'decrypt'>;
  readonly webhooks: WebhookSender;
  readonly systemErrors: Pick<SystemErrorRecorder, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly consoleUrl: string;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly observe?: DeliveryObserver;
};

/** Longer than an attempt can take; a worker that dies holds its delivery this long. */
const leaseMs = 60_000;
const parallelMax = 8;
/** One job keeps at a busy destination for this long, then lets others have the slot. */
const turnMs = 20_000;

type Prepared = {
  readonly claim: Claim;
  readonly alert: Alert;
  readonly context: string | null;
  readonly destinationName: string;
  readonly configuration: WebhookConfiguration;
};

const gone: AttemptResult = {
  success: false,
  isFinal: true,
  statusCode: 500,
  message: 'The destination was deleted.',
  retryAfterSeconds: null,
};

const interrupted: AttemptResult = {
  ...gone,
  message: 'Every attempt was interrupted before its outcome was known.',
};

async function finish(
  { database, systemErrors, clock, log, random, observe }: Deps,
  tenantId: string,
  { claim, alert, destinationName }: Omit<Prepared, 'configuration'>,
  result: AttemptResult,
  dispatchedAt: Date,
): Promise<Settlement> {
  const now = clock.now();
  const settlement = settle(result, {
    // A delivery started again by hand begins with short pauses.
    attemptsMade: Math.max(1, attemptsMax - claim.attemptsLeft),
    attemptsLeft: claim.attemptsLeft,
    now,
    random: random(),
  });
  const isSaved = await database.withTenant(tenantId, async (tx) => {
    await insertAttempt(tx, {
      deliveryId: claim.id,
      attempt: claim.attempt,
      dispatchedAt,
      durationMs: now.getTime() - dispatchedAt.getTime(),
      success: result.success,
      statusCode: result.statusCode,
      message: result.message,
    });
    const saved = await saveSettlement(tx, claim, settlement, { ...result, now });
    if (saved && settlement.state === 'FAILED')
      await systemErrors.record(tx, {
        type: 'ALERT_DELIVERY',
        subjectId: claim.destinationId,
        subjectName: destinationName,
        message: `Alert ${claim.alertId} was not delivered to "${destinationName}": status ${result.statusCode}. ${result.message}`,
        traceId: claim.traceId,
      });
    return saved;
  });
  const receivedToSettledMs = now.getTime() - alert.firstReceivedAt.getTime();
  const { state } = settlement;
  log.info('alert_delivery_attempted', {
    tenantId,
    deliveryId: claim.id,
    attempt: claim.attempt,
    statusCode: result.statusCode,
    state,
    isSaved,
    receivedToSettledMs,
    traceId: claim.traceId,
  });
  if (isSaved && state !== 'PENDING') observe?.({ tenantId, state, attempts: claim.attempt, receivedToSettledMs });
  return settlement;
}

/** Reads what the attempt needs, in the transaction that claims it; the network is used after its end. */
async function prepare(
  { secrets }: Deps,
  tx: TenantTx,
  claim: Claim,
): Promise<Prepared | Omit<Prepared, 'configuration'>> {
  const alert = await findAlert(tx, claim.alertId);
  if (alert === undefined) throw new Error('A delivery has no alert.');
  const context = (await findContexts(tx, [claim.alertId]))[0]?.text ?? null;
  const found = await findDestination(tx, claim.destinationId);
  if (found === undefined) return { claim, alert, context, destinationName: claim.destinationId };
  const text = await secrets.decrypt(tx, destinationPurpose(claim.destinationId), found.sealed);
  const configuration = parseConfiguration(text);
  return { claim, alert, context, destinationName: found.destination.name, configuration };
}

async function attempt(
  deps: Deps,
  tenantId: string,
  prepared: Prepared | Omit<Prepared, 'configuration'>,
  signal: AbortSignal | undefined,
): Promise<Settlement> {
  const { claim, alert, context } = prepared;
  const dispatchedAt = deps.clock.now();
  if (claim.attemptsLeft < 0) return finish(deps, tenantId, prepared, interrupted, dispatchedAt);
  if (!('configuration' in prepared)) return finish(deps, tenantId, prepared, gone, dispatchedAt);
  const isResent = claim.resends > 0;
  const message = {
    body: webhookBody({ ...alert, context }, { consoleUrl: deps.consoleUrl, isResent }),
    idempotencyKey: isResent ? `${claim.id}-${claim.resends}` : claim.id,
    traceId: claim.traceId,
  };
  const result = await deps.webhooks.send(prepared.configuration, message, signal);
  return finish(deps, tenantId, prepared, result, dispatchedAt);
}

export function createDeliverer(deps: Deps): Deliverer {
  const { database, clock } = deps;
  const take = (tenantId: string, claimWith: typeof claimDelivery, key: string) =>
    database.withTenant(tenantId, async (tx) => {
      const now = clock.now();
      const claim = await claimWith(tx, key, { now, leaseUntil: new Date(now.getTime() + leaseMs), parallelMax });
      return claim && prepare(deps, tx, claim);
    });
  return {
    async deliver(tenantId, deliveryId, signal) {
      const endsAt = performance.now() + turnMs;
      let prepared = await take(tenantId, claimDelivery, deliveryId);
      while (prepared !== undefined) {
        const { destinationId } = prepared.claim;
        const settlement = await attempt(deps, tenantId, prepared, signal);
        const goesOn = settlement.state === 'DELIVERED' && performance.now() < endsAt && signal?.aborted !== true;
        prepared = goesOn ? await take(tenantId, claimNext, destinationId) : undefined;
      }
    },
  };
}
