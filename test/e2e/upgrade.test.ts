import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { systemActor } from '#access';
import { openPlatform } from '../../src/app/parts.ts';
import type { Runtime } from '../../src/app/runtime.ts';
import { startDeployment } from '../../src/app/supervisor.ts';
import { startTestDeployment } from '../support/deployment.ts';

const installs = path.resolve(import.meta.dirname, '../fixtures/installs');
const versions = readdirSync(installs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const run = promisify(execFile);
const always = { from: new Date('2000-01-01'), to: new Date('2100-01-01') };
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function unpack(version: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'margay-upgrade-'));
  folders.push(folder);
  await chmod(folder, 0o755);
  const data = path.join(folder, 'data');
  await mkdir(data);
  const tar = path.join(folder, 'data.tar');
  await writeFile(tar, zstdDecompressSync(await readFile(path.join(installs, version, 'data.tar.zst'))));
  await run('tar', ['-x', '-f', tar, '-C', data]);
  return folder;
}

async function addMigration(folder: string): Promise<void> {
  const text = await readFile(path.join(folder, 'data/secrets.json'), 'utf8');
  const { ownerPassword } = JSON.parse(text) as { ownerPassword: string };
  const port = (await readFile(path.join(folder, 'data/postgres/postmaster.pid'), 'utf8')).split('\n')[3];
  const client = new pg.Client({
    connectionString: `postgres://margay_owner:${ownerPassword}@127.0.0.1:${port}/margay`,
  });
  await client.connect();
  await client.query("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_of_the_future.sql', 'x')");
  await client.end();
}

/** An object that the version stored in the clear, read through today's encrypted store. */
async function readRawBody(runtime: Runtime, tenantId: string): Promise<string> {
  const { database, objects, close } = openPlatform(runtime);
  try {
    const rows = await database.withTenant(tenantId, (tx) =>
      tx.query<{ key: string }>('SELECT object_key AS key FROM batches ORDER BY received_at LIMIT 1'),
    );
    return (await objects.get(rows[0]?.key ?? '')).toString('utf8');
  } finally {
    await close();
  }
}

describe.each(versions.map(({ name }) => name))('an install of version %s', (version) => {
  test('starts with today’s code, has its events and alerts, and goes on taking in', async () => {
    const folder = await unpack(version);
    const token = (await readFile(path.join(folder, 'data/first-token'), 'utf8')).trim();
    const deployment = await startTestDeployment({ folder });
    try {
      const [tenant] = await deployment.services.tenants.list();
      expect(tenant).toMatchObject({ slug: 'default' });
      const counts = await deployment.lake.countEvents(tenant?.id ?? '', always);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(200);

      const actor = systemActor(tenant?.id ?? '', 'test', '1'.repeat(32));
      const span = { createdAtAfter: always.from, createdAtBefore: always.to, pageSize: 50 };
      const { alerts } = await deployment.services.alerts.list(actor, span);
      expect(alerts).toHaveLength(11);
      expect(alerts.map(({ title }) => title)).toContain('sam made example/app public');
      const response = await fetch(`${deployment.url}/public/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': token },
        body: JSON.stringify({ query: '{ isSignedIn }' }),
      });
      expect(await response.json()).toEqual({ data: { isSignedIn: true } });

      expect(await readRawBody(deployment.runtime, actor.tenantId)).toMatch(/HTTP\/1\.1|\{/);
      const source = await deployment.services.sources.create(actor, {
        integrationLabel: 'new',
        logTypes: ['GitHub.Audit'],
        logStreamType: 'Auto',
        authMethod: 'None',
      });
      const event = { '@timestamp': Date.now(), action: 'org.update_member', actor: 'someone', org: 'example' };
      const sent = await fetch(`${deployment.url}/http/${source.id}`, { method: 'POST', body: JSON.stringify(event) });
      expect(sent.status).toBe(202);
      const total = async () =>
        Object.values(await deployment.lake.countEvents(tenant?.id ?? '', always)).reduce(
          (sum, count) => sum + count,
          0,
        );
      await expect.poll(total, { timeout: 120_000, interval: 500 }).toBe(201);
      await addMigration(folder);
    } finally {
      await deployment.stop();
    }
    const environment = { MARGAY_DATA_DIR: path.join(folder, 'data'), MARGAY_PORT: '0', MARGAY_LOG_LEVEL: 'silent' };
    const start = startDeployment({ environment, roles: 'all', say: () => undefined });
    await expect(start).rejects.toMatchObject({
      name: 'StartError',
      message:
        'The database has the migration "9999_of_the_future.sql", which this version of Margay does not know. Start the newer version.',
    });
  }, 300_000);
});
