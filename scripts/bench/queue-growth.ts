/** How much the queue schemas grow: thousands of jobs through the outbox and the queues, sizes of their tables meanwhile. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { createJobs, defineJob, handle, migrateJobs, sendAllInTransaction, startOutboxRelay } from '#platform/jobs';
import { silentLog } from '#platform/log';
import { migrate, openDatabase, provisionDatabase, startEmbeddedPostgres } from '#platform/postgres';
import { type Benchmark, wholeOption } from './support/benchmark.ts';

const job = defineJob({
  name: 'bench.nothing',
  payload: z.object({ tenantId: z.uuid(), number: z.number() }),
  attempts: 2,
  backoffMs: 10,
  timeoutMs: 10_000,
});
const failEvery = 100;
const jobsPerTransaction = 250;
const jobsPerSecondMax = 2000;

type Sizes = { readonly jobs: number; readonly kibibytes: Readonly<Record<string, number>>; readonly rows: number };

async function measure(client: pg.Client, jobs: number): Promise<Sizes> {
  const { rows } = await client.query<{ name: string; kibibytes: number; rows: string }>(
    `SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid)::int / 1024 AS kibibytes,
       (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), false, true, '')))[1]::text AS rows
     FROM pg_class c WHERE c.relkind = 'r' AND (c.relnamespace = 'bullmq'::regnamespace OR c.oid = 'public.outbox_jobs'::regclass)
     ORDER BY 1`,
  );
  return {
    jobs,
    kibibytes: Object.fromEntries(rows.filter((row) => row.kibibytes > 64).map((row) => [row.name, row.kibibytes])),
    rows: rows.reduce((sum, row) => sum + Number(row.rows), 0),
  };
}

async function prepare(folder: string) {
  const server = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), uid: process.getuid?.() });
  const passwords = { ownerPassword: 'owner', appPassword: 'app' };
  await provisionDatabase({ superuserUrl: server.superuserUrl, database: 'margay', ...passwords });
  const ownerUrl = server.urlOf('margay_owner', 'owner', 'margay');
  await migrate(ownerUrl, 'migrations/postgres');
  await migrateJobs(ownerUrl);
  const superuser = new URL(server.superuserUrl);
  superuser.pathname = '/margay';
  const client = new pg.Client({ connectionString: superuser.href });
  await client.connect();
  return { server, client, databaseUrl: server.urlOf('margay_app', 'app', 'margay') };
}

async function push(folder: string, total: number, say: (line: string) => void): Promise<readonly Sizes[]> {
  const { server, client, databaseUrl } = await prepare(folder);
  const database = openDatabase({ url: databaseUrl, connectionsMax: 8, log: silentLog });
  const jobs = createJobs({ databaseUrl, log: silentLog });
  let done = 0;
  const handler = handle(job, async ({ payload, attempt }) => {
    if (payload.number % failEvery === 0 && attempt < 2) throw new Error('once more');
    done += 1;
    if (payload.number % failEvery === 1) throw new Error('given up');
  });
  const relay = await startOutboxRelay({ database, jobs, definitions: [job], log: silentLog });
  jobs.process(handler, 16);
  const tenantId = randomUUID();
  await database.withSystem('the benchmark makes a tenant', (tx) =>
    tx.execute('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)', [tenantId, 'bench', 'Bench']),
  );
  const sizes = [await measure(client, 0)];
  const startedAt = performance.now();
  for (let sent = 0; sent < total;) {
    const payloads = Array.from({ length: jobsPerTransaction }, () => ({ tenantId, number: sent++ }));
    await database.withTenant(tenantId, (tx) => sendAllInTransaction(tx, job, payloads));
    while (sent - done > 2 * jobsPerTransaction) await sleep(5);
    await sleep(Math.max(0, (sent / jobsPerSecondMax) * 1000 - (performance.now() - startedAt)));
    if (sent % Math.ceil(total / 4) < jobsPerTransaction) {
      sizes.push(await measure(client, sent));
      say(JSON.stringify(sizes.at(-1)));
    }
  }
  while (done < total) await sleep(20);
  await sleep(1000);
  sizes.push(await measure(client, total));
  await client.query('VACUUM');
  sizes.push(await measure(client, total));
  await relay.stop();
  await jobs.close();
  await database.close();
  await client.end();
  await server.stop();
  return sizes;
}

export const benchmark: Benchmark = {
  summary: 'growth of the tables of the queues and the outbox while jobs pass through them',
  options: { jobs: { type: 'string', default: '20000' } },
  async run({ options, say }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'margay-queue-growth-'));
    await chmod(folder, 0o755);
    try {
      const total = wholeOption(options, 'jobs');
      const sizes = await push(folder, total, say);
      const sum = (at: Sizes | undefined): number =>
        Object.values(at?.kibibytes ?? {}).reduce((kibibytes, one) => kibibytes + one, 0);
      const left = sizes.at(-1)?.rows ?? 0;
      // What is left by design: the last thousand that failed, and a few rows for each queue.
      const problems = left > 12_000 ? [`${left} rows are left of ${total} jobs`] : [];
      const [quarter, end] = [sizes[1], sizes.at(-1)];
      return {
        figures: { jobs: total, kibibytesAfterQuarter: sum(quarter), kibibytesAtEnd: sum(end), rowsLeft: left, sizes },
        problems,
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
