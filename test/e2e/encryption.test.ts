/**
 * What is secret is nowhere on the disk in the clear. Left out on purpose: the folder of the embedded lake, which holds
 * events compressed and not encrypted (docs/operations.md asks for an encrypted disk), and columns of Postgres that
 * people read as text, such as titles of alerts: the last test names them, so that another one shows.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

const receiver = await startReceiver();
const deployment = await startTestDeployment();
const tenant = await deployment.tenant('planted');
afterAll(async () => {
  await client.end();
  await deployment.stop();
  await receiver.close();
});
const { dataDir } = deployment.runtime;
const event = 'planted-in-an-event-51c2';
const output = 'planted-by-a-rule-77d9';
const password = tenant.adminPassword;
const secrets = {
  token: tenant.token,
  sourceSecret: tenant.sourceSecret,
  password,
  webhookSecret: 'planted-webhook-secret-9b1e',
  webhookHeader: 'planted-header-value-4f0c',
  webhookPath: '/hook/secret-path',
};

async function superuser(): Promise<pg.Client> {
  const known = await readFile(path.join(dataDir, 'postgres.superuser'), 'utf8');
  const url = new URL(deployment.runtime.databaseUrl);
  url.username = 'postgres';
  url.password = known;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  return client;
}
const client = await superuser();

/** Columns in which the text stands, as text or as bytes. */
async function columnsWith(text: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; column: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name, quote_ident(column_name) AS column
     FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const hex = Buffer.from(text).toString('hex');
  const found: string[] = [];
  for (const { name, column } of rows) {
    const { rows: hits } = await client.query(
      `SELECT FROM ${name} WHERE position($1 IN ${column}::text) > 0 OR position($2 IN ${column}::text) > 0 LIMIT 1`,
      [text, hex],
    );
    if (hits.length > 0) found.push(`${name}.${column}`);
  }
  return found.toSorted();
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

test('the pipeline runs, and a delivery carries what was planted', async () => {
  await deployment.services.detections.save(tenant.actor, {
    specification:
      'AnalysisType: rule\nRuleID: Planted\nEnabled: true\nFilename: x.py\nLogTypes: [GitHub.Audit]\nSeverity: High\n',
    body: `def rule(event):\n    return event.get("actor") == "${event}"\n\ndef title(event):\n    return "${output}"[:7] + "-by-a-rule-77d9 " + event.get("actor")\n\ndef alert_context(event):\n    return {"repo": event.get("repo")}\n`,
  });
  await deployment.services.destinations.createWebhook(tenant.actor, {
    name: 'hook',
    url: receiver.url,
    severities: ['HIGH'],
    secret: secrets.webhookSecret,
    headers: [{ name: 'x-planted', value: secrets.webhookHeader }],
  });
  const body = { '@timestamp': Date.now(), action: 'repo.access', actor: event, repo: 'a/b' };
  const unread = `${JSON.stringify({ neither: event })}\n`;
  expect((await tenant.send(`${JSON.stringify(body)}\n${unread}`)).status).toBe(202);
  await expect.poll(() => receiver.messages.length, { timeout: 55_000 }).toBeGreaterThan(0);
  expect(receiver.messages[0]?.body).toContain(output);
  expect(receiver.messages[0]?.headers['x-planted']).toBe(secrets.webhookHeader);
  expect(await (await fetch(`${deployment.url}/readyz`)).json()).toMatchObject({
    checks: expect.arrayContaining([{ name: 'keys', isReady: true, note: expect.stringContaining('all 1 tenants') }]),
  });
});

test('every object is encrypted and shows nothing', async () => {
  const files = await filesBelow(path.join(dataDir, 'objects'));
  expect(files.map((file) => path.relative(dataDir, file).split('/')[3])).toEqual(
    expect.arrayContaining(['raw', 'results']),
  );
  for (const file of files) {
    // Rows are deleted once they are loaded, perhaps since the list was made.
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) continue;
    expect(bytes.subarray(0, 8).toString('latin1'), file).toBe('\u0089MGYOBJ\u0001');
    for (const text of [event, output, ...Object.values(secrets)]) expect(bytes.includes(text), file).toBe(false);
  }
});

test('no column of Postgres and no file beside the lake holds a secret', async () => {
  for (const [name, text] of Object.entries(secrets)) expect(await columnsWith(text), name).toEqual([]);
  await client.query('CHECKPOINT');
  const files = (await filesBelow(dataDir)).filter((file) => !file.startsWith(path.join(dataDir, 'lake')));
  expect(files.length).toBeGreaterThan(1000);
  for (const file of files) {
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    for (const [name, text] of Object.entries(secrets)) expect(bytes.includes(text), `${name} in ${file}`).toBe(false);
  }
});

test('texts of events and rules stand in these columns of Postgres and no other', async () => {
  expect(await columnsWith(event)).toEqual([
    'public.alerts.dedup',
    'public.alerts.title',
    'public.detection_revisions.content',
    'public.detection_versions.body',
    'public.detections.body',
  ]);
  expect(await columnsWith(output)).toEqual([
    'public.alerts.dedup',
    'public.alerts.title',
    'public.detection_revisions.content',
    'public.detection_versions.body',
    'public.detections.body',
  ]);
});
