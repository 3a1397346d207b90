import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DomainError } from '#platform/errors';
import {
  assertOneHandlerEach,
  createJobs,
  defineJob,
  handle,
  type JobContext,
  sendInTransaction,
  startOutboxRelay,
} from '#platform/jobs';
import { silentLog } from '#platform/log';
import { hasRedis, startTestRedis } from '../../../scripts/services/redis.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, url, close } = await createTestDatabase();
afterAll(close);

type Payload = { readonly tenantId: string; readonly id: string };
const newJob = (attempts = 3) =>
  defineJob<Payload>({
    name: `test.work-${randomUUID()}`,
    payload: z.object({ tenantId: z.string(), id: z.string() }),
    attempts,
    backoffMs: 50,
    timeoutMs: 500,
  });

if (!hasRedis) process.stdout.write('skipped: jobs on Redis need scripts/services/install-redis.sh\n');
const redis = hasRedis ? await startTestRedis() : undefined;
afterAll(() => redis?.stop());

const backends = [['postgres', {}], ...(redis ? [['redis', { redisUrl: redis.url }] as const] : [])] as const;

describe.each(backends)('jobs on %s', (_name, options) => {
  const dead: string[] = [];
  const jobs = createJobs({
    databaseUrl: url,
    log: silentLog,
    onDead: (job, payload) => void dead.push(`${job.name}/${(payload as Payload).id}`),
    ...options,
  });
  afterAll(() => jobs.close());

  test('a job runs once with its payload', async () => {
    const job = newJob();
    const seen: JobContext<Payload>[] = [];
    jobs.process(
      handle(job, async (context) => void seen.push(context)),
      2,
    );
    await jobs.enqueue(job, { tenantId: 't', id: 'one' });
    await expect
      .poll(() => seen.map((item) => item.payload), { timeout: 4000 })
      .toEqual([{ tenantId: 't', id: 'one' }]);
  });

  test('a failing job is tried again, and is dead after its attempts', async () => {
    const job = newJob(3);
    const attempts: number[] = [];
    jobs.process(
      handle(job, async ({ attempt }) => {
        attempts.push(attempt);
        throw new Error('no luck');
      }),
      1,
    );
    await jobs.enqueue(job, { tenantId: 't', id: 'two' });
    await expect.poll(() => dead, { timeout: 4000 }).toContain(`${job.name}/two`);
    expect(attempts).toEqual([1, 2, 3]);
  });

  test('an error that cannot pass is not tried again', async () => {
    const job = newJob(5);
    let runs = 0;
    jobs.process(
      handle(job, async () => {
        runs += 1;
        throw new DomainError('bad_input', { publicMessage: 'never' });
      }),
      1,
    );
    await jobs.enqueue(job, { tenantId: 't', id: 'three' });
    await expect.poll(() => dead, { timeout: 4000 }).toContain(`${job.name}/three`);
    expect(runs).toBe(1);
  });

  test('a handler that takes too long is told to stop and counts as failed', async () => {
    const job = newJob(1);
    let wasTold = false;
    jobs.process(
      handle(job, async ({ signal }) => {
        await sleep(5000, undefined, { signal }).catch(() => (wasTold = true));
      }),
      1,
    );
    await jobs.enqueue(job, { tenantId: 't', id: 'four' });
    await expect.poll(() => dead, { timeout: 4000 }).toContain(`${job.name}/four`);
    expect(wasTold).toBe(true);
  });

  test('the same id is added once while it waits', async () => {
    const job = newJob();
    const seen: string[] = [];
    const items = ['a', 'b', 'a'].map((id) => ({ payload: { tenantId: 't', id }, jobId: `job-${id}` }));
    await jobs.enqueueAll(job, items);
    jobs.process(
      handle(job, async ({ payload }) => void seen.push(payload.id)),
      1,
    );
    await expect.poll(() => seen.toSorted(), { timeout: 4000 }).toEqual(['a', 'b']);
  });

  test('a payload of the wrong form is refused when it is added', async () => {
    await expect(jobs.enqueue(newJob(), { tenantId: 't' } as never)).rejects.toThrow();
  });

  test('an outbox job runs after the commit of its change, and never after a rollback', async () => {
    const tenantId = await createTenant(database);
    const job = newJob();
    const seen: string[] = [];
    jobs.process(
      handle(job, async ({ payload }) => void seen.push(payload.id)),
      1,
    );
    const relay = await startOutboxRelay({ database, jobs, definitions: [job], log: silentLog, pollMs: 200 });
    await database
      .withTenant(tenantId, async (tx) => {
        await sendInTransaction(tx, job, { tenantId, id: 'rolled back' });
        throw new Error('no');
      })
      .catch(() => undefined);
    await database.withTenant(tenantId, (tx) => sendInTransaction(tx, job, { tenantId, id: 'committed' }));
    await expect.poll(() => seen, { timeout: 4000 }).toEqual(['committed']);
    await relay.stop();
  });
});

test('a job without a handler, or with two, keeps the process from starting', () => {
  const [a, b] = [newJob(), newJob()];
  const handler = handle(a, async () => undefined);
  expect(() => assertOneHandlerEach([a, b], [handler])).toThrow('has 0 handlers');
  expect(() => assertOneHandlerEach([a], [handler, handler])).toThrow('has 2 handlers');
  expect(() => assertOneHandlerEach([], [handler])).toThrow('belongs to no listed job');
});
