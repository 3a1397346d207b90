export type DeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED';

/** One alert on its way to one destination. */
export type Delivery = {
  readonly id: string;
  readonly alertId: string;
  readonly destinationId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: Date;
  readonly statusCode: number | null;
  readonly message: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
};

export type AttemptOutcome = { readonly statusCode: number | undefined; readonly message: string };

const attemptsMax = 10;
const pausesSeconds = [5, 15, 30, 60, 120, 300, 600, 900, 1800];

/** Answers that will not change by asking again: the request itself is refused. */
const isFinalStatus = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;

/** What follows from one attempt: delivered, tried again later (with up to a fifth of jitter), or given up. */
export function afterAttempt(
  attempts: number,
  { statusCode }: AttemptOutcome,
  now: Date,
  jitter: number,
): { readonly state: DeliveryState; readonly nextAttemptAt: Date } {
  if (statusCode !== undefined && statusCode >= 200 && statusCode < 300)
    return { state: 'DELIVERED', nextAttemptAt: now };
  if (isFinalStatus(statusCode) || attempts >= attemptsMax) return { state: 'FAILED', nextAttemptAt: now };
  const seconds = (pausesSeconds[attempts - 1] ?? 1800) * (1 + jitter / 5);
  return { state: 'PENDING', nextAttemptAt: new Date(now.getTime() + seconds * 1000) };
}
