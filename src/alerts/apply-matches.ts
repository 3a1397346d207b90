import type { Ids } from '#platform/ids';
import { sendInTransaction } from '#platform/jobs';
import type { TenantTx } from '#platform/postgres';
import type { Alert, DetectionMatch } from './alert.ts';
import { deliverAlertJob } from './alert-jobs.ts';
import { insertAlert, updateCounts } from './alert-store.ts';
import { addToWindow, type WindowChange } from './dedup/window.ts';
import { keyText, lockWindows, saveWindows } from './dedup/window-store.ts';
import { insertDelivery } from './delivery/delivery-store.ts';
import { listRoutes } from './destinations/destination-store.ts';
import { type Route, routeAlert } from './routing.ts';

export type Evaluation = {
  /** "Now" of the batch, from its manifest. */
  readonly evaluatedAt: Date;
  readonly receivedAt: Date;
  readonly traceId: string;
  readonly matches: readonly DetectionMatch[];
};

type Group = { readonly key: string; readonly matches: readonly [DetectionMatch, ...DetectionMatch[]] };

function groupsOf(matches: readonly DetectionMatch[]): readonly Group[] {
  const byKey = Map.groupBy(
    matches.filter((match) => match.createsAlert),
    keyText,
  );
  return [...byKey]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, [first, ...rest]]) => (first === undefined ? [] : [{ key, matches: [first, ...rest] as const }]));
}

function newAlert(match: DetectionMatch, { window, alertId }: WindowChange, evaluation: Evaluation): Alert {
  return {
    id: alertId,
    type: match.type,
    status: 'OPEN',
    title: match.title,
    severity: match.severity,
    description: match.description,
    reference: match.reference,
    runbook: match.runbook,
    detectionId: match.detectionId,
    detectionName: match.displayName,
    dedup: match.dedup,
    context: undefined,
    logTypes: [match.logType],
    tags: match.tags,
    eventCount: window.matchCount,
    firstEventAt: window.firstEventAt,
    lastEventAt: window.lastEventAt,
    createdAt: evaluation.evaluatedAt,
    updatedAt: evaluation.evaluatedAt,
    receivedAt: evaluation.receivedAt,
    assigneeId: null,
    traceId: evaluation.traceId,
  };
}

async function create(
  tx: TenantTx,
  ids: Ids,
  match: DetectionMatch,
  alert: Alert,
  routes: readonly Route[],
): Promise<void> {
  await insertAlert(tx, alert, match.context);
  const chosen = { severity: alert.severity, logTypes: alert.logTypes, chosen: match.destinations };
  for (const route of routeAlert(chosen, routes)) {
    const deliveryId = ids.uuid();
    await insertDelivery(tx, {
      id: deliveryId,
      alertId: alert.id,
      destinationId: route.id,
      createdAt: alert.createdAt,
    });
    await sendInTransaction(tx, deliverAlertJob, { tenantId: tx.tenantId, deliveryId });
  }
}

/**
 * Applies every alert effect of one evaluation: windows, counts, new alerts, their deliveries. Belongs into the
 * transaction that also records the evaluation, so that all of it happens once. Returns the alert id of each match, in
 * order; null for a match that makes no alert.
 */
export async function applyMatches(
  tx: TenantTx,
  ids: Ids,
  evaluation: Evaluation,
): Promise<readonly (string | null)[]> {
  const groups = groupsOf(evaluation.matches);
  if (groups.length === 0) return evaluation.matches.map(() => null);
  const windows = await lockWindows(
    tx,
    groups.map(({ matches }) => matches[0]),
    evaluation.evaluatedAt,
  );
  const routes = await listRoutes(tx);
  const changes = new Map<string, WindowChange>();
  for (const { key, matches } of groups) {
    const change = addToWindow(tx.tenantId, windows.get(key), matches, evaluation.evaluatedAt);
    changes.set(key, change);
    if (change.isNew) await create(tx, ids, matches[0], newAlert(matches[0], change, evaluation), routes);
  }
  await saveWindows(
    tx,
    groups.flatMap(({ key, matches }) => {
      const change = changes.get(key);
      return change ? [{ key: matches[0], window: change.window }] : [];
    }),
  );
  const counts = [...changes.values()].filter((change) => !change.isNew && change.window.alertId !== null);
  if (counts.length > 0)
    await updateCounts(
      tx,
      counts.map(({ alertId, window }) => ({
        id: alertId,
        eventCount: window.matchCount,
        firstEventAt: window.firstEventAt,
        lastEventAt: window.lastEventAt,
        updatedAt: evaluation.evaluatedAt,
      })),
    );
  return evaluation.matches.map((match) =>
    match.createsAlert ? (changes.get(keyText(match))?.alertId ?? null) : null,
  );
}
