import { randomUUID } from 'node:crypto';
import {
  createAlertIntake,
  createAlertService,
  createDeliverer,
  createDestinationService,
  createSystemErrorAlerts,
  createWebhookSender,
  type DeliveryObserver,
  type DetectionMatch,
} from '#alerts';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createRoleService, createUserService, userDirectory } from '#identity';
import type { LakeReader } from '#lake';
import { manualClock } from '#platform/clock';
import { createAddressGuard, createHttpClient } from '#platform/http-client';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import type { Database } from '#platform/postgres';
import { createSystemErrorRecorder, createSystemErrorService } from '#system-errors';
import { testSecrets } from './secrets.ts';

export const traceId = '0123456789abcdef0123456789abcdef';

/** A match of a rule over CloudTrail; say what matters to the test. */
export function newMatch(over: Partial<DetectionMatch> = {}): DetectionMatch {
  return {
    detectionId: 'AWS.Root.Login',
    type: 'RULE',
    displayName: 'Root login',
    dedup: 'root',
    title: 'Root logged in',
    severity: 'HIGH',
    dedupPeriodMinutes: 60,
    threshold: 1,
    createsAlert: true,
    logType: 'AWS.CloudTrail',
    rowId: randomUUID().replaceAll('-', ''),
    eventTime: new Date('2026-01-01T00:00:00Z'),
    receivedAt: new Date('2026-01-01T00:00:01Z'),
    tags: ['aws'],
    mitre: ['TA0001:T1078'],
    ...over,
  };
}

export type AlertCount = {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly title: string;
  readonly event_count: string;
};

/** Alerts as they are stored, oldest first. */
export const storedAlerts = (database: Database, tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.query<AlertCount & Record<string, unknown>>('SELECT * FROM alerts ORDER BY created_at, id'),
  );

/** The services of the alerts room over a test database; time stands still until it is moved. */
export function createAlertsRoom(
  database: Database,
  { allowCidrs = ['127.0.0.0/8'], startAt = new Date('2026-01-01T00:00:02Z') } = {},
) {
  const clock = manualClock(startAt);
  const audit = createAuditRecorder({ database, clock });
  const secrets = testSecrets();
  const systemErrors = createSystemErrorRecorder({ clock, ids: systemIds });
  const guard = createAddressGuard(allowCidrs);
  const http = createHttpClient({ guard, limits: { totalTimeoutMs: 1000 } });
  const webhooks = createWebhookSender({ http, clock });
  const consoleUrl = 'https://siem.example.com/console';
  const base = { database, audit, clock, ids: systemIds, secrets, systemErrors, webhooks, guard, consoleUrl };
  const settled: Parameters<DeliveryObserver>[0][] = [];
  const asked: Parameters<LakeReader['alertEvents']>[] = [];
  const intake = createAlertIntake(base);
  return {
    clock,
    settled,
    /** A user of the tenant, with a role of its own. Returns the id. */
    async addUser(tenantId: string, email: string): Promise<string> {
      const actor = systemActor(tenantId, 'test', traceId);
      const role = await createRoleService(base).create(actor, { name: email, permissions: ['AlertRead'] });
      const names = { givenName: 'Ada', familyName: 'L' };
      const kind = { kind: 'ID', value: role.id };
      return (await createUserService(base).invite(actor, { email, ...names, role: kind })).id;
    },
    asked,
    intake,
    destinations: createDestinationService(base),
    deliverer: createDeliverer({ ...base, log: silentLog, random: () => 1, observe: (event) => settled.push(event) }),
    systemErrorAlerts: createSystemErrorAlerts(base),
    systemErrors: createSystemErrorService(base),
    alerts: createAlertService({
      ...base,
      assignees: userDirectory,
      lake: {
        alertEvents: async (...args) => {
          asked.push(args);
          return { rows: [{ p_row_id: '1' }], endCursor: null };
        },
      },
    }),
    apply: (tenantId: string, matches: readonly DetectionMatch[]) =>
      database.withTenant(tenantId, (tx) =>
        intake.applyMatches(tx, { batchId: '', evaluatedAt: clock.now(), traceId, matches }),
      ),
  };
}

/** Jobs that wait in the outbox, taken out, oldest first. */
export const takeJobs = (database: Database, tenantId: string) =>
  database.withTenant(tenantId, async (tx) => {
    const rows = await tx.query<{ job_name: string; payload: Readonly<Record<string, string>> }>(
      'SELECT job_name, payload FROM outbox_jobs ORDER BY id',
    );
    await tx.execute('DELETE FROM outbox_jobs');
    return rows;
  });
