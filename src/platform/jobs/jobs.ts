import { createPostgresBackend, type Job, type JobType, Queue, UnrecoverableError, withBackend, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { DomainError } from '#platform/errors';
import type { Log } from '#platform/log';
import type { JobDefinition, JobHandler } from './job.ts';

type EnqueueOptions = {
  /** Same id, same job: while one is known, another is not added. */
  readonly jobId?: string;
  readonly delayMs?: number;
};

/** Short queues of running work, on Postgres or Redis. The truth about what must be done is elsewhere, in Postgres. */
export type Jobs = {
  enqueue<Payload>(job: JobDefinition<Payload>, payload: Payload, options?: EnqueueOptions): Promise<void>;
  enqueueAll<Payload>(
    job: JobDefinition<Payload>,
    items: readonly { readonly payload: Payload; readonly jobId?: string }[],
  ): Promise<void>;
  /** Starts running jobs of one kind in this process. */
  process(handler: JobHandler, concurrency: number): void;
  /** Jobs that came through the outbox and have not ended: what nobody could derive again. */
  listFromOutbox(definitions: readonly JobDefinition[]): Promise<readonly QueuedJob[]>;
  /** Takes what waits for the tenant off the queues, and what ended. Returns how many; what runs now ends by itself. */
  forgetTenant(definitions: readonly JobDefinition[], tenantId: string): Promise<number>;
  /** Waits for running handlers, then lets go of the connections. */
  close(): Promise<void>;
};

type Deps = {
  /** Postgres as the application role; queues live in the schema `bullmq`, reached as `margay_jobs`. */
  readonly databaseUrl: string;
  readonly redisUrl?: string;
  readonly log: Log;
  /** A job that will not be tried again. */
  readonly onDead?: (job: JobDefinition, payload: unknown, error: Error) => void;
};

const queueName = (job: JobDefinition): string => job.name.replaceAll('.', '-');

/** In bulk each addition makes and drops two tables on Postgres: worth it only for more jobs than this. */
const singlyMax = 4;

type Backend = {
  readonly newQueue: (name: string) => Queue;
  readonly newWorker: (name: string, run: ConstructorParameters<typeof Worker>[1], concurrency: number) => Worker;
  close(): Promise<void>;
};

/** A job is begun again when its worker died; one that ended so many workers is given up, and its owner's sweeper decides. */
const maxStalledCount = 10;
const workerTimes = { lockDuration: 20_000, stalledInterval: 5000, maxStalledCount };

function postgresBackend({ databaseUrl }: Deps): Backend {
  const bound = withBackend(createPostgresBackend);
  const connectionOf = (application: string, max: number) => ({
    connectionString: databaseUrl,
    max,
    application_name: application,
    // Nobody waits for the disk: what a crash of Postgres takes from a queue is put there again, as after losing Redis.
    // A job that left the outbox is not lost, since its deletion there is written to the same log later, and synced.
    options: '-c role=margay_jobs -c synchronous_commit=off',
  });
  return {
    newQueue: (name) => new bound.Queue(name, { connection: connectionOf('margay jobs', 2) }) as unknown as Queue,
    newWorker: (name, run, concurrency) =>
      new bound.Worker(name, run, {
        connection: connectionOf(`margay ${name}`, concurrency + 2),
        concurrency,
        ...workerTimes,
      }) as unknown as Worker,
    close: async () => undefined,
  };
}

function redisBackend({ redisUrl, log }: Deps): Backend {
  const connection = new Redis(redisUrl ?? '', { maxRetriesPerRequest: null, lazyConnect: true });
  connection.on('error', (error: unknown) => log.warn('redis_connection_lost', { error }));
  return {
    newQueue: (name) => new Queue(name, { connection }),
    newWorker: (name, run, concurrency) => new Worker(name, run, { connection, concurrency, ...workerTimes }),
    close: async () => connection.disconnect(),
  };
}

/** A handler's end in time; the signal tells it to stop, and the job counts as failed. */
async function withinTime(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      stop.abort();
      reject(new Error(`The job did not end within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    await Promise.race([work(stop.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What can never succeed is not tried again. */
const isFinal = (error: unknown): boolean =>
  error instanceof DomainError && !error.retryable && error.code !== 'internal';

const optionsOf = (job: JobDefinition, { jobId, delayMs }: EnqueueOptions) => ({
  ...(jobId === undefined ? {} : { jobId }),
  ...(delayMs === undefined ? {} : { delay: delayMs }),
  attempts: job.attempts,
  backoff: { type: 'exponential', delay: job.backoffMs },
  removeOnComplete: true,
  removeOnFail: { count: 1000, age: 7 * 24 * 3600 },
});

/** Runs a handler for one queue entry and translates its failure into the queue's terms. */
function runner({ job, run }: JobHandler, log: Log) {
  return async (entry: Job): Promise<void> => {
    const context = { jobId: entry.id ?? '', attempt: entry.attemptsMade + 1, log: log.with({ jobId: entry.id }) };
    try {
      await withinTime(job.timeoutMs, (signal) => run(entry.data, { ...context, signal }));
    } catch (error) {
      if (isFinal(error)) throw new UnrecoverableError(error instanceof Error ? error.message : 'final');
      throw error;
    }
  };
}

export type QueuedJob = { readonly name: string; readonly payload: unknown };

const jobsPerPage = 500;

async function* pagesOf(queue: Queue, type: JobType): AsyncGenerator<readonly Job[], void, number | undefined> {
  for (let start = 0; ;) {
    const page: readonly (Job | undefined)[] = await queue.getJobs([type], start, start + jobsPerPage - 1);
    if (page.length === 0) return;
    const removed = yield page.filter((entry) => entry !== undefined);
    start += page.length - (removed ?? 0);
  }
}

/** Running ones last: a job that begins while we look is seen there. */
async function listOutboxJobs(queue: Queue, name: string): Promise<readonly QueuedJob[]> {
  const found: QueuedJob[] = [];
  for (const type of ['delayed', 'waiting', 'prioritized', 'active'] as const)
    for await (const page of pagesOf(queue, type)) {
      const fromOutbox = page.filter(({ id }) => id?.startsWith('outbox-') === true);
      found.push(...fromOutbox.map(({ data }) => ({ name, payload: data as unknown })));
    }
  return found;
}

const isOf = (entry: Job, tenantId: string): boolean =>
  (entry.data as { tenantId?: unknown } | undefined)?.tenantId === tenantId;

/** Removes the tenant's jobs of one queue. A job that is running is locked and stays. */
async function forgetJobs(queue: Queue, tenantId: string): Promise<number> {
  let count = 0;
  for (const type of ['waiting', 'delayed', 'prioritized', 'failed', 'completed'] as const) {
    const pages = pagesOf(queue, type);
    let removed = 0;
    for (;;) {
      const { value: page, done } = await pages.next(removed);
      if (done === true || page === undefined) break;
      removed = 0;
      for (const entry of page.filter((one) => isOf(one, tenantId)))
        removed += await entry.remove().then(
          () => 1,
          () => 0,
        );
      count += removed;
    }
  }
  return count;
}

/** Opens the queues on Redis when it is configured, else on Postgres. Connections are made when needed. */
export function createJobs(deps: Deps): Jobs {
  const backend = deps.redisUrl === undefined ? postgresBackend(deps) : redisBackend(deps);
  const queues = new Map<string, Queue>();
  const workers: Worker[] = [];
  const queueOf = (job: JobDefinition): Queue => {
    const known = queues.get(job.name) ?? backend.newQueue(queueName(job));
    if (!queues.has(job.name)) known.on('error', (error) => deps.log.warn('job_queue_error', { job: job.name, error }));
    queues.set(job.name, known);
    return known;
  };
  return {
    async enqueue(job, payload, options = {}) {
      const definition = job as JobDefinition;
      await queueOf(definition).add(job.name, job.payload.parse(payload), optionsOf(definition, options));
    },
    async enqueueAll(job, items) {
      const definition = job as JobDefinition;
      const entries = items.map(({ payload, jobId }) => ({
        name: job.name,
        data: job.payload.parse(payload),
        opts: optionsOf(definition, jobId === undefined ? {} : { jobId }),
      }));
      const queue = queueOf(definition);
      if (entries.length > singlyMax) await queue.addBulk(entries);
      else await Promise.all(entries.map(({ name, data, opts }) => queue.add(name, data, opts)));
    },
    process(handler, concurrency) {
      const { job } = handler;
      const log = deps.log.with({ job: job.name });
      const worker = backend.newWorker(queueName(job), runner(handler, log), concurrency);
      worker.on('error', (error) => log.warn('job_worker_error', { error }));
      worker.on('failed', (entry, error) => {
        log.error('job_failed', { jobId: entry?.id, attempt: entry?.attemptsMade, error });
        const isDead =
          entry !== undefined && (error instanceof UnrecoverableError || entry.attemptsMade >= job.attempts);
        if (isDead) deps.onDead?.(job, entry.data, error);
      });
      workers.push(worker);
    },
    async listFromOutbox(definitions) {
      const found: QueuedJob[] = [];
      for (const job of definitions) found.push(...(await listOutboxJobs(queueOf(job), job.name)));
      return found;
    },
    async forgetTenant(definitions, tenantId) {
      let count = 0;
      for (const job of definitions) count += await forgetJobs(queueOf(job), tenantId);
      return count;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}
