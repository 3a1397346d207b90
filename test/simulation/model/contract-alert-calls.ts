import { deliverAlertJob } from '#alerts';
import { sendAllInTransaction } from '#platform/jobs';
import { createSystemErrorRecorder } from '#system-errors';
import * as alertIntake from '../../../src/alerts/alert-intake-store.ts';
import * as alerts from '../../../src/alerts/alert-store.ts';
import type { Tally, Window } from '../../../src/alerts/dedup/window.ts';
import * as windows from '../../../src/alerts/dedup/window-store.ts';
import * as deliveries from '../../../src/alerts/delivery/delivery-store.ts';
import * as destinations from '../../../src/alerts/destinations/destination-store.ts';
import { type Call, type Choice, hex32, minutes, pick, sorted, whole } from './contract-choice.ts';

const tally = (choice: Choice): Tally => ({
  count: 1 + whole(choice, 2, 5),
  firstEventAt: minutes(whole(choice, 3, 50)),
  lastEventAt: minutes(50 + whole(choice, 4, 50)),
  firstReceivedAt: minutes(whole(choice, 5, 50)),
  lastReceivedAt: minutes(50 + whole(choice, 6, 50)),
  logTypes: [`T${whole(choice, 2, 3)}`],
  logSources: [`S${whole(choice, 3, 3)}`],
});
const seed = (choice: Choice) => ({
  type: 'RULE' as const,
  detectionId: 'rule',
  detectionName: 'rule',
  dedup: 'd',
  title: `title ${whole(choice, 1, 9)}`,
  severity: 'HIGH' as const,
  description: '',
  reference: '',
  runbook: '',
  context: whole(choice, 1, 2) === 0 ? null : '{"a":1}',
  destinations: null,
  tags: ['t'],
  mitre: [],
});
const window = (choice: Choice, place: number): Window => ({
  id: `w${(whole(choice, 0, 4) + place) % 4}`,
  alertId: hex32(pick(choice, 'alert', 4)),
  openedAt: minutes(whole(choice, 1, 50)),
  closesAt: minutes(60 + whole(choice, 1, 50)),
  matchCount: whole(choice, 2, 9),
  isAlert: whole(choice, 3, 2) === 0,
  pending: whole(choice, 4, 2) === 0 ? null : { seed: seed(choice), tally: tally(choice) },
});

export const alertCalls: readonly Call[] = [
  { name: 'lockWindows', run: (tx, choice) => windows.lockWindows(tx, [window(choice, 0), window(choice, 1)]) },
  { name: 'saveWindows', run: (tx, choice) => windows.saveWindows(tx, [window(choice, 0), window(choice, 1)]) },
  {
    name: 'deleteOldWindows',
    isForAll: true,
    run: (tx, choice) => windows.deleteOldWindows(tx, minutes(whole(choice, 0, 80)), 100),
  },
  {
    name: 'insertAlerts',
    run: (tx, choice) =>
      alertIntake.insertAlerts(
        tx,
        [{ id: hex32(pick(choice, 'alert', 4)), seed: seed(choice), tally: tally(choice) }],
        { createdAt: minutes(1), traceId: 't' },
      ),
  },
  {
    name: 'growAlerts',
    run: (tx, choice) => alertIntake.growAlerts(tx, [{ id: hex32(pick(choice, 'alert', 4)), tally: tally(choice) }]),
  },
  { name: 'findAlert', run: (tx, choice) => alerts.findAlert(tx, hex32(pick(choice, 'alert', 4))) },
  { name: 'findContexts', run: (tx, choice) => alerts.findContexts(tx, [hex32(pick(choice, 'alert', 4))]) },
  {
    name: 'sendAllInTransaction',
    run: (tx) => sendAllInTransaction(tx, deliverAlertJob, [{ tenantId: tx.tenantId, deliveryId: 'a'.repeat(32) }]),
  },
  {
    name: 'outbox',
    isForAll: true,
    run: async (tx) => {
      const rows = await tx.query<{ id: string; job_name: string }>(
        'SELECT id, job_name, payload FROM outbox_jobs ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED',
        [2],
      );
      const ids = rows.map(({ id }) => id);
      return [rows.length, await tx.execute('DELETE FROM outbox_jobs WHERE id = ANY($1::bigint[])', [ids])];
    },
  },
  {
    name: 'isWorkFree',
    isForAll: true,
    run: (tx) => tx.query('SELECT pg_try_advisory_xact_lock_shared($1) AS free', [1]),
  },
  {
    name: 'leaderLock',
    isForAll: true,
    run: (tx) => tx.query('SELECT pg_try_advisory_xact_lock($1) AS leads', [7_714_212]),
  },
];

const claimOptions = (choice: Choice) => ({
  now: minutes(100),
  leaseUntil: minutes(whole(choice, 2, 2) === 0 ? 50 : 200),
  parallelMax: 2,
});

export const deliveryCalls: readonly Call[] = [
  {
    name: 'insertDestination',
    run: (tx, choice) => {
      const id = pick(choice, 'destination', 2);
      const lists = { severities: ['HIGH' as const], alertTypes: [], logTypes: [], headerNames: [] };
      const settings = { ...lists, name: `name ${id}`, isEnabled: true, endpoint: 'https://x', hasSecret: false };
      return destinations.insertDestination(tx, id, settings, {
        sealed: Buffer.from('x'),
        byName: 'n',
        at: minutes(1),
      });
    },
  },
  { name: 'listDestinations', run: (tx) => destinations.listDestinations(tx) },
  { name: 'findDestination', run: (tx, choice) => destinations.findDestination(tx, pick(choice, 'destination', 2)) },
  {
    name: 'insertDeliveries',
    run: async (tx, choice) => {
      const destination = (await destinations.listDestinations(tx))[whole(choice, 1, 2)];
      const alert = await alerts.findAlert(tx, hex32(pick(choice, 'alert', 4)));
      if (destination === undefined || alert === undefined) return undefined;
      const options = { now: minutes(whole(choice, 2, 90)), attemptsMax: 5, traceId: 't' };
      return deliveries.insertDeliveries(tx, [{ alertId: alert.id, destinationId: destination.id }], options);
    },
  },
  {
    name: 'claimNext',
    run: (tx, choice) => deliveries.claimNext(tx, pick(choice, 'destination', 2), claimOptions(choice)),
  },
  {
    name: 'claimDelivery',
    run: async (tx, choice) => {
      const found = await deliveries.listDeliveriesOf(tx, [hex32(pick(choice, 'alert', 4))]);
      return deliveries.claimDelivery(tx, found[0]?.id ?? '', claimOptions(choice));
    },
  },
  {
    name: 'saveSettlement',
    run: async (tx, choice) => {
      const [first] = await deliveries.listDeliveriesOf(tx, [hex32(pick(choice, 'alert', 4))]);
      if (first === undefined) return undefined;
      const isOver = whole(choice, 1, 3) === 0;
      const result = { statusCode: 200, message: 'm', now: minutes(100) };
      const attempt = first.attempts - whole(choice, 2, 2);
      await deliveries.insertAttempt(tx, {
        deliveryId: first.id,
        attempt,
        dispatchedAt: minutes(1),
        durationMs: 1,
        success: isOver,
        statusCode: 200,
        message: '',
      });
      const settlement = isOver
        ? { state: 'DELIVERED' as const }
        : { state: 'PENDING' as const, nextAttemptAt: minutes(90) };
      return deliveries.saveSettlement(tx, { id: first.id, attempt }, settlement, result);
    },
  },
  {
    name: 'listDue',
    isForAll: true,
    run: (tx) =>
      sorted(deliveries.listDue(tx, { now: minutes(100), before: minutes(99), perDestination: 2, limit: 9 })),
  },
  {
    name: 'systemError',
    run: async (tx, choice) => {
      const recorder = createSystemErrorRecorder({
        clock: { now: () => minutes(whole(choice, 1, 9)) },
        ids: { uuid: () => pick(choice, 'error', 9), secret: () => '' },
      });
      const subject = { subjectId: `s${whole(choice, 2, 3)}`, subjectName: 'n', message: 'm', traceId: 't' };
      await recorder.record(tx, { type: 'ALERT_DELIVERY', ...subject });
      return recorder.find(tx, pick(choice, 'error', 9));
    },
  },
];
