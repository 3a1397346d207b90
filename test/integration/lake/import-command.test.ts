import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { exportCommand } from '../../../src/app/operator/export-command.ts';
import { importCommand } from '../../../src/app/operator/import-command.ts';
import { openOperatorStores } from '../../../src/app/operator/operator-stores.ts';
import { openPlatform } from '../../../src/app/parts.ts';
import { createTenant } from '../../support/postgres.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-import-'));
await chmod(folder, 0o755);
const environment = { MARGAY_DATA_DIR: path.join(folder, 'data'), MARGAY_LOG_LEVEL: 'silent' };
const stores = await openOperatorStores({ environment, besideRunning: false });
const platform = openPlatform(stores.runtime);
afterAll(async () => {
  await platform.close();
  await stores.close();
  await rm(folder, { recursive: true, force: true });
});
const { database, lake, lakeClient, storedObjects } = platform;
const dayMs = 24 * 3_600_000;

/** A tenant with an event of each of the given ages. */
async function tenantWith(...ages: readonly number[]) {
  const tenantId = await createTenant(database);
  const rows = ages.map((age) => {
    const at = new Date(Date.now() - age * dayMs).toISOString();
    return `${JSON.stringify({ p_event_time: at, p_parse_time: at, p_log_type: 'Custom.Act', p_row_id: `${age}`, who: { name: 'dana' } })}\n`;
  });
  const staged = await lake.stage(tenantId, platform.ids.uuid(), [
    {
      family: 'logs',
      logType: 'Custom.Act',
      columns: [{ name: 'who', type: 'object' }],
      rows: Buffer.from(rows.join('')),
      count: rows.length,
    },
  ]);
  await database.withTenant(tenantId, (tx) => staged.register(tx));
  await lake.loader.round();
  return { tenantId, slug: `t-${tenantId}`, table: `t_${tenantId.replaceAll('-', '')}.logs_custom_act` };
}

async function run(command: typeof importCommand, ...args: readonly string[]) {
  const lines: string[] = [];
  const exitCode = await command.run(args, { environment, say: (line) => void lines.push(line) });
  return { exitCode, last: lines.at(-1) };
}

test('the operator gets exported events back, of that tenant only and as long as it keeps them', async () => {
  const one = await tenantWith(1, 30);
  const other = await tenantWith(1);
  expect((await run(exportCommand, one.slug)).last).toContain('2 files written, 2 in all');
  await lakeClient.command(`TRUNCATE TABLE ${one.table}`);
  await database.withTenant(one.tenantId, (tx) =>
    tx.execute('INSERT INTO tenant_retention (tenant_id, event_days) VALUES ($1, 7)', [one.tenantId]),
  );

  const sentence = (imported: number, there: number) =>
    `2 files: ${imported} rows imported, ${there} already there, 1 older than the 7 days that are kept, 0 refused.`;
  expect(await run(importCommand, one.slug)).toEqual({ exitCode: 0, last: sentence(1, 0) });
  expect(await run(importCommand, one.slug)).toEqual({ exitCode: 0, last: sentence(0, 1) });
  expect(await lakeClient.rows(`SELECT p_row_id AS id, who.name AS name FROM ${one.table}`)).toEqual([
    { id: '1', name: 'dana' },
  ]);

  await expect(run(importCommand, other.slug)).rejects.toThrow('Nothing of');
  await expect(run(importCommand, 'nobody')).rejects.toThrow('There is no tenant "nobody"');
  await expect(run(importCommand, one.slug, '--from', 'soon')).rejects.toThrow('"soon" is not a time');
  const events = await database.withSystem('a test reads what operators did', (tx) =>
    tx.query<{ action: string }>('SELECT action FROM operator_events ORDER BY sequence'),
  );
  expect(events.map(({ action }) => action)).toEqual(['EXPORT_TENANT', 'IMPORT_TENANT', 'IMPORT_TENANT']);
});

test('a manifest that points at files of another tenant is not followed', async () => {
  const [one, other] = [await tenantWith(1), await tenantWith(1)];
  await run(exportCommand, one.slug);
  const manifest = JSON.parse(
    (await storedObjects.get(`tenants/${one.tenantId}/exports/_manifest.json`)).toString(),
  ) as {
    files: { path: string }[];
  };
  for (const file of manifest.files) file.path = `../../${one.tenantId}/exports/${file.path}`;
  await storedObjects.put(`tenants/${other.tenantId}/exports/_manifest.json`, Buffer.from(JSON.stringify(manifest)));
  await expect(run(importCommand, other.slug)).rejects.toThrow('is no path of an export');
});

test('a manifest that is damaged or takes a column of the product is refused with its place', async () => {
  const { tenantId, slug } = await tenantWith(1);
  await run(exportCommand, slug);
  const key = `tenants/${tenantId}/exports/_manifest.json`;
  const text = (await storedObjects.get(key)).toString();
  const manifest = JSON.parse(text) as { tables: { columns: object[] }[] };
  manifest.tables[0]?.columns.push({ name: 'P_tenant_id', type: 'string' });
  for (const [stored, reason] of [
    [JSON.stringify(manifest), 'tables.0.columns.1.name: is the column that says whose a row is'],
    [text.slice(0, 100), 'it is no JSON'],
    [JSON.stringify({ files: [{ path: 1 }] }), 'files.0.path: '],
  ] as const) {
    await storedObjects.put(key, Buffer.from(stored));
    for (const command of [importCommand, exportCommand]) await expect(run(command, slug)).rejects.toThrow(reason);
  }
  await storedObjects.put(key, Buffer.from(text));
  expect((await run(importCommand, slug)).last).toContain('0 rows imported, 1 already there');
});
