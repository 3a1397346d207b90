import type { JobDefinition, JobHandler, Jobs } from '#platform/jobs';
import type { Log } from '#platform/log';
import type { Kernel, SimProcess } from '../kernel.ts';

type Entry = {
  readonly id: string;
  readonly job: JobDefinition;
  readonly payload: unknown;
  attempts: number;
  stalls: number;
  state: 'waiting' | 'active' | 'failed';
  /** Which run of the entry counts: an older one was given up. */
  run: number;
};

type Worker = {
  readonly owner: SimProcess;
  readonly handler: JobHandler;
  readonly concurrency: number;
  active: number;
};

/** A job whose worker fell silent is run again after about this long, once. */
const stalledMs = { min: 5000, max: 20_000 };

/** Short queues as BullMQ keeps them: an id is known until its job is done; a silent worker's job is run again. */
export class QueueState {
  readonly #kernel: Kernel;
  readonly #home: SimProcess;
  readonly #log: Log;
  #entries = new Map<string, Entry>();
  #workers: Worker[] = [];
  #ids = 0;

  constructor(kernel: Kernel, home: SimProcess, log: Log) {
    this.#kernel = kernel;
    this.#home = home;
    this.#log = log;
  }

  get waiting(): number {
    return [...this.#entries.values()].filter((entry) => entry.state !== 'failed').length;
  }

  /** All that is queued is gone, as after FLUSHALL. */
  lose(): void {
    this.#entries = new Map();
  }

  add(job: JobDefinition, payload: unknown, jobId: string | undefined): void {
    const id = `${job.name}/${jobId ?? `#${(this.#ids += 1)}`}`;
    if (this.#entries.has(id)) return;
    this.#entries.set(id, {
      id,
      job,
      payload: job.payload.parse(payload),
      attempts: 0,
      stalls: 0,
      state: 'waiting',
      run: 0,
    });
    this.#pump();
  }

  work(owner: SimProcess, handler: JobHandler, concurrency: number): void {
    this.#workers = this.#workers.filter((worker) => worker.owner.isAlive);
    this.#workers.push({ owner, handler, concurrency, active: 0 });
    this.#pump();
  }

  /** Gives waiting entries to workers with a free place. */
  #pump(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'waiting') continue;
      const able = this.#workers.filter(
        (worker) =>
          worker.owner.isAlive && worker.handler.job.name === entry.job.name && worker.active < worker.concurrency,
      );
      if (able.length > 0) this.#give(entry, this.#kernel.pick(able));
    }
  }

  #give(entry: Entry, worker: Worker): void {
    entry.state = 'active';
    const run = (entry.run += 1);
    worker.active += 1;
    const { owner } = worker;
    const giveUp = (): void =>
      void this.#kernel.after(this.#kernel.between(stalledMs.min, stalledMs.max), this.#home, () =>
        this.#stalled(entry, run),
      );
    owner.onDeath.add(giveUp);
    this.#kernel.after(this.#kernel.between(0, 3), owner, () => {
      const { signal } = new AbortController();
      const context = { jobId: entry.id, attempt: entry.attempts + 1, log: this.#log, signal };
      const ended = (error: unknown): void => {
        owner.onDeath.delete(giveUp);
        worker.active -= 1;
        this.#end(entry, run, error);
      };
      worker.handler.run(entry.payload, context).then(() => ended(undefined), ended);
    });
  }

  #stalled(entry: Entry, run: number): void {
    if (entry.run !== run || entry.state !== 'active') return;
    entry.stalls += 1;
    entry.state = entry.stalls > 1 ? 'failed' : 'waiting';
    this.#pump();
  }

  #end(entry: Entry, run: number, error: unknown): void {
    if (entry.run === run) {
      entry.attempts += 1;
      if (error === undefined) this.#entries.delete(entry.id);
      else if (entry.attempts >= entry.job.attempts) entry.state = 'failed';
      else {
        const pauseMs = entry.job.backoffMs * 2 ** (entry.attempts - 1);
        this.#kernel.after(pauseMs, this.#home, () => {
          entry.state = 'waiting';
          this.#pump();
        });
      }
    }
    this.#kernel.after(0, this.#home, () => this.#pump());
  }
}

/** What a process of the product asks of its queues. */
export type ModelJobs = Pick<Jobs, 'enqueue' | 'enqueueAll' | 'process'>;

/** The product's `Jobs` for one process. */
export function createModelJobs(
  queues: QueueState,
  owner: SimProcess,
  step: (what: string) => Promise<void>,
): ModelJobs {
  return {
    async enqueue(job, payload, options = {}) {
      await step(`enqueue ${job.name}`);
      queues.add(job as JobDefinition, payload, options.jobId);
      await step('enqueued');
    },
    async enqueueAll(job, items) {
      await step(`enqueue ${items.length} ${job.name}`);
      for (const { payload, jobId } of items) queues.add(job as JobDefinition, payload, jobId);
      await step('enqueued');
    },
    process: (handler, concurrency) => queues.work(owner, handler, concurrency),
  };
}
