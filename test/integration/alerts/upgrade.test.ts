import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, expect, inject, test } from 'vitest';
import { systemActor } from '#access';
import { silentLog } from '#platform/log';
import { migrate, openDatabase, provisionDatabase } from '#platform/postgres';

import { createAlertsRoom, newMatch, takeJobs } from '../../support/alerts.ts';
import { sealAsFirstVersion } from '../../support/secrets.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-upgrade-'));
const receiver = await startReceiver();
afterAll(async () => {
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

/** A database as it was before alerts had a lifecycle. */
async function createOldDatabase() {
  const { superuserUrl, ownerPassword, appPassword } = inject('postgres');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await provisionDatabase({ superuserUrl, database: name, ownerPassword, appPassword });
  const urlOf = (role: string, password: string) => {
    const url = new URL(superuserUrl);
    url.username = role;
    url.password = password;
    url.pathname = `/${name}`;
    return url.href;
  };
  for (const file of await readdir('migrations/postgres'))
    if (file < '0800') await cp(path.join('migrations/postgres', file), path.join(folder, file));
  const ownerUrl = urlOf('margay_owner', ownerPassword);
  await migrate(ownerUrl, folder);
  const superuser = new URL(superuserUrl);
  superuser.pathname = `/${name}`;
  return { url: urlOf('margay_app', appPassword), ownerUrl, superuserUrl: superuser.href };
}

test('alerts, destinations and waiting deliveries of the version before are there and work after the upgrade', async () => {
  const { url, ownerUrl, superuserUrl } = await createOldDatabase();
  const tenantId = randomUUID();
  const alertId = 'a'.repeat(32);
  const destinationId = randomUUID();
  const database = openDatabase({ url, connectionsMax: 4, log: silentLog });
  await database.withSystem('the test makes a tenant', (tx) =>
    tx.execute('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)', [tenantId, 'old', 'Old']),
  );
  const { wrappedKey, secret } = sealAsFirstVersion(
    tenantId,
    `destination ${destinationId}`,
    JSON.stringify({ url: receiver.url, secret: 'sixteen letters!' }),
  );
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query(
    `INSERT INTO alerts (tenant_id, id, type, title, severity, detection_id, detection_name, dedup, context, log_types, tags,
       destinations, event_count, first_event_at, last_event_at, created_at, updated_at, received_at, trace_id)
     VALUES ($1, $2, 'RULE', 'Old alert', 'HIGH', 'Old.Rule', 'Old rule', 'key', '{"a": 1}', '{AWS.CloudTrail}', '{}',
       NULL, 3, '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01', $3)`,
    [tenantId, alertId, 'f'.repeat(32)],
  );
  await client.query(
    `INSERT INTO destinations (tenant_id, id, kind, name, severities, configuration) VALUES ($1, $2, 'WEBHOOK', 'Old', '{HIGH}', $3)`,
    [tenantId, destinationId, secret],
  );
  await client.query('INSERT INTO tenant_keys (tenant_id, wrapped_key) VALUES ($1, $2)', [tenantId, wrappedKey]);
  await client.query(
    `INSERT INTO alert_deliveries (tenant_id, id, alert_id, destination_id, state, attempts, next_attempt_at, created_at)
     VALUES ($1, $2, $3, $4, 'PENDING', 4, '2026-01-01', '2026-01-01')`,
    [tenantId, randomUUID(), alertId, destinationId],
  );
  await client.end();
  expect(await migrate(ownerUrl, 'migrations/postgres')).toContain('0800_alert_lifecycle.sql');

  const room = createAlertsRoom(database);
  const actor = systemActor(tenantId, 'test', 'f'.repeat(32));
  expect(await room.alerts.get(actor, { id: alertId })).toMatchObject({
    title: 'Old alert',
    eventCount: 3,
    updatedAt: null,
    lastReceivedAt: new Date('2026-01-01T00:00:00Z'),
  });
  expect(await room.alerts.listContexts(actor, { alertIds: [alertId] })).toEqual([{ alertId, context: { a: 1 } }]);
  const [delivery] = await room.alerts.listDeliveries(actor, { alertIds: [alertId] });
  await room.deliverer.deliver(tenantId, delivery?.id ?? '');
  expect(await room.alerts.listDeliveries(actor, { alertIds: [alertId] })).toMatchObject([{ state: 'DELIVERED' }]);
  expect(receiver.messages).toMatchObject([{ headers: { 'x-margay-signature': expect.stringContaining('v1=') } }]);
  await room.apply(tenantId, [newMatch()]);
  expect(await takeJobs(database, tenantId)).toHaveLength(1);
  await database.close();
});
