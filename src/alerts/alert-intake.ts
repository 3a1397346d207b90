import type { Clock } from '#platform/clock';
import { sendAllInTransaction } from '#platform/jobs';
import type { TenantTx } from '#platform/postgres';
import type { AlertId } from './alert.ts';
import { growAlerts, insertAlerts, type NewAlert } from './alert-intake-store.ts';
import { deliverAlertJob } from './alert-jobs.ts';
import type { DetectionMatch } from './dedup/detection-match.ts';
import { advanceWindow, groupMatches, openWindow } from './dedup/window.ts';
import { lockWindows, saveWindows } from './dedup/window-store.ts';
import { attemptsMax } from './delivery/delivery.ts';
import { insertDeliveries } from './delivery/delivery-store.ts';
import { listDestinations } from './destinations/destination-store.ts';
import { routeAlert, type RoutedAlert } from './routing/routing.ts';

export type MatchesOfBatch = {
  readonly batchId: string;
  /** "Now" of the batch's plan: the same at every attempt. */
  readonly evaluatedAt: Date;
  readonly traceId: string;
  readonly matches: readonly DetectionMatch[];
};

export type AlertIntake = {
  /**
   * Turns the matches of a batch into new and growing alerts and their deliveries, in the caller's transaction. Knows
   * nothing of batches applied before: the caller holds the row that lets each batch through once.
   *
   * Answers, for each match in its order, the id of its window's alert, or null for a match that makes no alert. Below
   * the threshold the id is the one the alert will have, so that all events of the window can be found by it.
   */
  applyMatches(tx: TenantTx, batch: MatchesOfBatch): Promise<readonly (AlertId | null)[]>;
};

type Deps = { readonly clock: Clock };

export type CreatedAlert = RoutedAlert & { readonly id: AlertId };

/** Chooses destinations for new alerts and puts the first attempts on their way. */
export async function sendOut(
  tx: TenantTx,
  alerts: readonly CreatedAlert[],
  options: { readonly now: Date; readonly traceId: string },
): Promise<void> {
  if (alerts.length === 0) return;
  const destinations = await listDestinations(tx);
  const routes = alerts.flatMap((alert) =>
    routeAlert(alert, destinations).map((destinationId) => ({ alertId: alert.id, destinationId })),
  );
  const ids = await insertDeliveries(tx, routes, { ...options, attemptsMax });
  await sendAllInTransaction(
    tx,
    deliverAlertJob,
    ids.map((deliveryId) => ({ tenantId: tx.tenantId, deliveryId })),
  );
}

const routed = ({ id, seed, tally }: NewAlert): CreatedAlert => ({
  id,
  type: seed.type,
  severity: seed.severity,
  logTypes: tally.logTypes,
  destinations: seed.destinations,
});

export function createAlertIntake({ clock }: Deps): AlertIntake {
  return {
    async applyMatches(tx, { evaluatedAt, traceId, matches }) {
      const { groups, windowIds } = groupMatches(matches);
      if (groups.length === 0) return windowIds.map(() => null);
      const known = await lockWindows(
        tx,
        groups.map((group) => openWindow(tx.tenantId, group, evaluatedAt)),
      );
      const steps = groups.map((group) => {
        const window = known.get(group.windowId);
        if (window === undefined) throw new Error('A window that was just locked is not there.');
        return advanceWindow(tx.tenantId, window, group, evaluatedAt);
      });
      const created = steps.flatMap(({ window, effect }) =>
        effect.kind === 'create' ? [{ id: window.alertId, seed: effect.seed, tally: effect.tally }] : [],
      );
      const grown = steps.flatMap(({ window, effect }) =>
        effect.kind === 'add' ? [{ id: window.alertId, tally: effect.tally }] : [],
      );
      await saveWindows(
        tx,
        steps.map(({ window }) => window),
      );
      const now = clock.now();
      await insertAlerts(tx, created, { createdAt: now, traceId });
      await growAlerts(tx, grown);
      await sendOut(tx, created.map(routed), { now, traceId });
      const alertIds = new Map(steps.map(({ window }) => [window.id, window.alertId]));
      return windowIds.map((id) => (id === undefined ? null : (alertIds.get(id) ?? null)));
    },
  };
}
