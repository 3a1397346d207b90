import { createHash, randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAlertIntake } from '#alerts';
import { createAuditRecorder } from '#audit';
import {
  createDetectionService,
  createEvaluator,
  createUploadService,
  processUpload,
  type SandboxPool,
  writeZip,
} from '#detections';
import {
  announceWorker,
  createBatchProcessor,
  createIntake,
  createSchemaService,
  createSourceService,
  defaultBodyLimits,
  defaultIntakeLimits,
  startDispatcher,
} from '#ingestion';
import { processBatch } from '#jobs';
import { startLoader } from '#lake';
import { silentLog } from '#platform/log';
import { createSystemErrorRecorder } from '#system-errors';
import { judge } from '../../../scripts/chaos/check.ts';
import { createRandom } from '../../../scripts/chaos/random.ts';
import type { ChaosEvent } from '../../../scripts/chaos/traffic.ts';
import { backupCommand, restoreCommand } from '../../../src/app/operator/backup-command.ts';
import { openOperatorStores } from '../../../src/app/operator/operator-stores.ts';
import { openPlatform, type Platform } from '../../../src/app/parts.ts';
import { createTenant } from '../../support/postgres.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-backup-'));
await chmod(folder, 0o755);
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await rm(folder, { recursive: true, force: true });
});
const inFolder = (name: string): string => path.join(folder, name);
const set = inFolder('set');
const environmentOf = (name: string) => ({
  MARGAY_DATA_DIR: inFolder(name),
  MARGAY_LOG_LEVEL: 'silent',
  MARGAY_BACKUP_PASSPHRASE: 'correct horse battery',
});
const io = (name: string, more: Record<string, string> = {}) => ({
  environment: { ...environmentOf(name), ...more },
  say: () => undefined,
});
const restoreInto = (from: string, name: string, more: Record<string, string> = {}) =>
  restoreCommand.run(['--from', from, '--data-dir', inFolder(name)], io('live', more));

const logType = 'Custom.Chaos';
const schema = `schema: ${logType}\nfields:\n  - { name: id, type: string, required: true }\n  - { name: group, type: string, required: true }\n  - { name: hit, type: boolean }\n  - { name: big, type: bigint }\n  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }\n`;
const specification = `AnalysisType: rule\nRuleID: Chaos.Hit\nEnabled: true\nFilename: x.py\nLogTypes: [${logType}]\nSeverity: Low\nDedupPeriodMinutes: 1440\n`;

/** Says what the rule would say, without an interpreter: this test is about what the stores keep. */
const sandbox: Pick<SandboxPool, 'evaluate' | 'check'> = {
  evaluate: async ({ records }) => {
    const rows = records
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ChaosEvent);
    const matches = rows.flatMap(({ group, hit }, recordIndex) =>
      hit ? [{ recordIndex, ruleId: 'Chaos.Hit', title: group, dedup: group, severity: 'LOW' as const }] : [],
    );
    return { matches, errors: [], statistics: [], indexMisses: [], rulesPerEvent: [] };
  },
  check: async () => [],
};

/** The deployment's stores with a dispatcher, a worker and a loader in this process. */
async function open(name: string) {
  const stores = await openOperatorStores({ environment: environmentOf(name), besideRunning: false });
  const platform = openPlatform(stores.runtime);
  const { database, objects, lake, clock } = platform;
  const alerts = createAlertIntake({ clock });
  const systemErrors = createSystemErrorRecorder(platform);
  const handler = processBatch({
    batches: createBatchProcessor({ database, objects, lake, clock, limits: defaultBodyLimits }),
    evaluator: createEvaluator({ database, sandbox, objects, lake, alerts, systemErrors }),
  });
  const announced = await announceWorker({ database, log: silentLog, workerId: platform.ids.uuid(), places: 8 });
  const running = new Set<Promise<void>>();
  const dispatcher = await startDispatcher({
    database,
    log: silentLog,
    limits: { tenantShare: 0.75, quantumBytes: 1_000_000, leaseSeconds: 5, pollMs: 100 },
    enqueue: async (admissions) => {
      for (const { tenantId, batchId } of admissions) {
        const context = { jobId: batchId, attempt: 1, log: silentLog, signal: new AbortController().signal };
        const work: Promise<void> = handler.run({ tenantId, batchId }, context).finally(() => running.delete(work));
        running.add(work);
      }
    },
  });
  const loader = startLoader(lake.loader, silentLog, 50);
  const stop = async (): Promise<void> => {
    await dispatcher.stop();
    await Promise.all(running);
    await loader.stop();
    await announced.stop();
    await platform.close();
    await stores.close();
  };
  stops.push(stop);
  return { platform, stop: () => (stops.splice(stops.indexOf(stop), 1), stop()) };
}

async function makeTenant(platform: Platform): Promise<{ readonly tenantId: string; readonly sourceId: string }> {
  const { database, clock, ids, secrets, lake } = platform;
  const tenantId = await createTenant(database);
  const actor = systemActor(tenantId, 'test', '1'.repeat(32));
  const audit = createAuditRecorder({ database, clock });
  await createSchemaService({ database, audit }).save(actor, { name: logType, spec: schema });
  const body = "def rule(event):\n    return event['hit']\n";
  await createDetectionService({ database, audit, sandbox }).save(actor, { specification, body });
  const sources = createSourceService({
    database,
    audit,
    secrets,
    ids,
    lake: lake.reader,
    hasSchema: async () => true,
  });
  const auth = { authMethod: 'Bearer', authBearerToken: 'the-secret-of-the-source' };
  const source = await sources.create(actor, {
    integrationLabel: 's',
    logTypes: [logType],
    logStreamType: 'Lines',
    ...auth,
  });
  return { tenantId, sourceId: source.id };
}

/** Sends until stopped; every event that `accept` returned for is acknowledged. */
function send(platform: Platform, tenant: { readonly tenantId: string; readonly sourceId: string }, seed: number) {
  const intake = createIntake({ ...platform, limits: defaultIntakeLimits });
  const random = createRandom(seed);
  const acknowledged = new Map<string, ChaosEvent>();
  let isStopped = false;
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      const events = Array.from({ length: 20 }, () => ({
        id: randomUUID(),
        group: `g${Math.floor(random() * 20)}`,
        hit: random() < 0.2,
      }));
      const lines = events.map((event) =>
        JSON.stringify({ ...event, big: 0, at: new Date() }).replace('"big":0', '"big":9007199254740993'),
      );
      await intake.accept({ ...tenant, body: Buffer.from(`${lines.join('\n')}\n`), traceId: '1'.repeat(32) });
      for (const event of events) acknowledged.set(event.id, event);
      await sleep(random() * 60);
    }
    await intake.close();
  };
  const done = loop();
  return { acknowledged, stop: async () => ((isStopped = true), done) };
}

const later =
  'AnalysisType: rule\nRuleID: Chaos.Later\nEnabled: true\nLogTypes: [X]\nSeverity: Low\nDetection: [{Condition: AlwaysTrue}]\n';

/** An upload that waits and a query that has its result. */
async function leaveWork(platform: Platform, tenantId: string) {
  const { database, clock } = platform;
  const uploads = createUploadService({ ...platform, audit: createAuditRecorder({ database, clock }), sandbox });
  const data = writeZip([{ name: 'later.yml', bytes: Buffer.from(later) }]).toString('base64');
  const { receiptId } = await uploads.uploadAsync(systemActor(tenantId, 'test', '1'.repeat(32)), { data });
  const queryId = randomUUID();
  await database.withTenant(tenantId, (tx) =>
    tx.execute(
      `INSERT INTO lake_queries (tenant_id, id, state, sql, database_name, issuer_kind, issuer_id, issuer_name, statement,
         columns, log_types, access_key, cache_key, row_count, started_at, trace_id)
       VALUES ($1, $2, 'SUCCEEDED', 'SELECT 1', 'd', 'system', 'test', 'test', 'SELECT 1', '[]', '{}', '', '', 1, now(), '')`,
      [tenantId, queryId],
    ),
  );
  return { receiptId, queryId };
}

/** The upload is still to be done, and can be; the query says that its result is not there. */
async function expectWork(platform: Platform, tenantId: string, left: Awaited<ReturnType<typeof leaveWork>>) {
  const { database, objects, clock } = platform;
  const audit = createAuditRecorder({ database, clock });
  const jobs = await database.withTenant(tenantId, (tx) =>
    tx.query("SELECT payload FROM outbox_jobs WHERE job_name = 'detections.process-upload'"),
  );
  expect(jobs).toEqual([{ payload: { tenantId, uploadId: left.receiptId } }]);
  await processUpload({ database, objects, audit, sandbox }, tenantId, left.receiptId);
  const [row] = await database.withTenant(tenantId, (tx) =>
    tx.query(
      `SELECT (SELECT status FROM content_uploads WHERE id = $1) AS upload,
         (SELECT count(*)::int FROM detections WHERE id = 'Chaos.Later') AS saved,
         (SELECT state || ': ' || message FROM lake_queries WHERE id = $2) AS query`,
      [left.receiptId, left.queryId],
    ),
  );
  const query = 'FAILED: Results are not part of a backup. Run the query again.';
  expect(row).toEqual({ upload: 'COMPLETED', saved: 1, query });
}

const waiting = async ({ database }: Platform): Promise<unknown> =>
  database.withSystem('the test waits until all is done', (tx) =>
    tx.query(
      `SELECT (SELECT count(*)::int FROM batches WHERE state <> 'DONE') AS batches, (SELECT count(*)::int FROM lake_chunks c
         LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id WHERE l.state IS DISTINCT FROM 'LOADED') AS rows`,
    ),
  );

async function find({ database, lakeClient }: Platform, tenantId: string) {
  const rows = await lakeClient.rows<{ id: string; big: string; n: number }>(
    `SELECT id, toString(any(big)) AS big, toUInt32(count()) AS n FROM t_${tenantId.replaceAll('-', '')}.logs_custom_chaos GROUP BY id`,
  );
  expect(rows.every(({ big }) => big === '9007199254740993')).toBe(true);
  const alerts = await database.withTenant(tenantId, (tx) =>
    tx.query<{ group: string; eventCount: number }>(
      'SELECT title AS group, event_count::int AS "eventCount" FROM alerts',
    ),
  );
  return { events: new Map(rows.map(({ id, n }) => [id, n])), alerts };
}

test('a set taken while events come in holds each event acknowledged before it, once, with the alerts that follow', async () => {
  const live = await open('live');
  const tenants = [await makeTenant(live.platform), await makeTenant(live.platform)];
  const traffic = tenants.map((tenant, index) => send(live.platform, tenant, index));
  await sleep(4000);
  const left = await leaveWork(live.platform, tenants[0]?.tenantId ?? '');
  const before = traffic.map(({ acknowledged }) => new Map(acknowledged));
  expect(await backupCommand.run(['--to', set], io('live'))).toBe(0);
  await sleep(500);
  for (const one of traffic) await one.stop();
  await live.stop();
  await rm(inFolder('live'), { recursive: true, force: true });

  expect(await restoreInto(set, 'restored')).toBe(0);
  const { platform, stop } = await open('restored');
  await expect.poll(() => waiting(platform), { timeout: 300_000 }).toEqual([{ batches: 0, rows: 0 }]);
  await expectWork(platform, tenants[0]?.tenantId ?? '', left);
  for (const [index, { tenantId, sourceId }] of tenants.entries()) {
    const acknowledged = before[index] ?? new Map<string, ChaosEvent>();
    const all = traffic[index]?.acknowledged ?? new Map<string, ChaosEvent>();
    const unsure = new Map([...all].filter(([id]) => !acknowledged.has(id)));
    const verdict = judge({ acknowledged, unsure }, await find(platform, tenantId));
    expect(verdict).toMatchObject({
      lost: 0,
      duplicated: 0,
      foreign: 0,
      countErrors: 0,
      acknowledged: acknowledged.size,
    });
    expect(verdict.acknowledged).toBeGreaterThan(60);
    expect(verdict.alertsFound).toBeGreaterThan(5);
    const secret = await platform.database.withTenant(tenantId, async (tx) => {
      const rows = await tx.query<{ secret: Uint8Array }>('SELECT secret FROM log_sources');
      return platform.secrets.decrypt(tx, `log source ${sourceId}`, rows[0]?.secret ?? Buffer.alloc(0));
    });
    expect(secret).toBe('the-secret-of-the-source');
  }
  const events = await platform.database.withSystem('the test reads the operator events', (tx) =>
    tx.query<{ action: string }>('SELECT action FROM operator_events ORDER BY sequence'),
  );
  expect(events.map(({ action }) => action)).toEqual(['RESTORE_BACKUP']);
  await stop();
}, 600_000);

test('a set that was damaged, is unfinished, newer or sealed otherwise is refused in one sentence', async () => {
  const other = inFolder('other');
  await cp(set, other, { recursive: true });
  const found = await readdir(path.join(other, 'objects'), { recursive: true, withFileTypes: true });
  const object = found.find((entry) => entry.isFile());
  const file = path.join(object?.parentPath ?? '', object?.name ?? '');
  const bytes = await readFile(file);
  await writeFile(file, bytes.with(20, (bytes[20] ?? 0) ^ 1));
  await expect(restoreInto(other, 'a')).rejects.toThrow(/set is damaged: "objects\/tenants\//);
  await writeFile(file, bytes);

  const manifest = path.join(other, 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  const write = async (changed: string) => {
    await writeFile(manifest, changed);
    await writeFile(path.join(other, 'manifest.sha256'), createHash('sha256').update(changed).digest('hex'));
  };
  const newer = text.replace('"format": 1', '"format": 2');
  await writeFile(manifest, newer);
  await expect(restoreInto(other, 'a')).rejects.toThrow('damaged: "manifest.json"');
  await write(newer);
  await expect(restoreInto(other, 'a')).rejects.toThrow('made by a newer version');
  const future = `"migrations": [{"name": "9999_future.sql", "sha256": "${'0'.repeat(64)}"},`;
  await write(text.replace('"migrations": [', future));
  await expect(restoreInto(other, 'a')).rejects.toThrow(
    '"9999_future.sql", which this version of Margay does not know',
  );
  await rm(manifest);
  await expect(restoreInto(other, 'a')).rejects.toThrow('no finished backup set');

  const passphrase = { MARGAY_BACKUP_PASSPHRASE: 'another passphrase' };
  await expect(restoreInto(set, 'a', passphrase)).rejects.toThrow('is not the passphrase of this set');
  const masterKey = { MARGAY_MASTER_KEY: Buffer.alloc(32).toString('base64') };
  await expect(restoreInto(set, 'a', masterKey)).rejects.toThrow('is another key than the one of this set');
  await expect(restoreInto(set, 'restored')).rejects.toThrow('is not empty');
  await expect(readdir(inFolder('a'))).rejects.toThrow('ENOENT');
  await expect(backupCommand.run(['--to', set], io('restored'))).rejects.toThrow('is not empty');
}, 300_000);

test('nothing starts on a folder whose restore was cut off', async () => {
  await mkdir(inFolder('half'));
  await writeFile(path.join(inFolder('half'), 'restore-unfinished'), '');
  await expect(openOperatorStores({ environment: environmentOf('half'), besideRunning: true })).rejects.toThrow(
    'was not finished. Delete the folder and restore again.',
  );
});
