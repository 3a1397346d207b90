import './deterministic-node.ts';
import type { SandboxPool } from '#detections';
import type { HttpReceiver } from '#ingestion';
import { errorText } from '#platform/errors';
import type { HttpClient } from '#platform/http-client';
import type { Log } from '#platform/log';
import type { RuleError, RuleMatch } from '../../src/detections/sandbox/sandbox-contract.ts';
import { chooseRates, Faults, type Store } from './faults.ts';
import { Kernel, type SimProcess } from './kernel.ts';
import { remember } from './memory.ts';
import { createModelDatabase, type DatabaseWorld, type Interception } from './model/database.ts';
import { createModelJobs, QueueState } from './model/jobs.ts';
import { createModelLakeClient, LakeState } from './model/lake-client.ts';
import { createModelObjects, Disk } from './model/objects.ts';
import { Tables } from './model/transaction.ts';
import { type Given, noSeams, type Seams, startIngest, startScheduler, startWorker } from './processes.ts';
import { seedTenants, type SimRule, type SimTenant } from './scenario.ts';

/** A planted bug: stands in for parts that the product is given. Nothing in the product knows of it. */
export type Mutation = {
  readonly name: string;
  readonly intercept?: (world: World) => Interception;
  readonly given?: (given: Given, world: World, owner: SimProcess) => Given;
  readonly seams?: Partial<Seams>;
};

type Options = { readonly seed: number; readonly isTraced?: boolean; readonly mutation?: Mutation | undefined };

export type ReceivedMessage = { readonly url: string; readonly key: string; readonly alertId: string };

const startMs = Date.UTC(2026, 0, 5, 12);
const roles = ['ingest-1', 'ingest-2', 'worker-1', 'worker-2', 'scheduler-1', 'scheduler-2'];

/** A deployment in one thread: the product's code, and stores in memory that the seed lets fail. */
export class World {
  readonly kernel: Kernel;
  readonly tables = new Tables();
  readonly disk = new Disk();
  readonly lake = new LakeState();
  readonly queues: QueueState;
  readonly faults: Faults;
  readonly tenants: readonly SimTenant[];
  readonly received: ReceivedMessage[] = [];
  /** Batches in the order in which their effects were committed. */
  readonly evaluated: string[] = [];
  readonly layout: 'dedicated' | 'pooled';
  /** Many events of one tenant and one group at once, over slow stores: transactions meet in the same rows. */
  readonly isCrowded: boolean;
  /** The nature around the deployment: never harmed. */
  readonly nature: SimProcess;
  sandboxRuns = 0;
  readonly #mutation: Mutation | undefined;
  readonly #processes = new Map<string, SimProcess>();
  readonly #receivers = new Map<string, { readonly owner: SimProcess; readonly receiver: HttpReceiver }>();
  readonly #listeners = new Set<{ readonly channel: string; readonly owner: SimProcess; readonly tell: () => void }>();
  #uuids = 0;

  constructor({ seed, isTraced = false, mutation }: Options) {
    this.kernel = new Kernel({ seed, startMs, isTraced });
    this.nature = this.kernel.current;
    this.#mutation = mutation;
    this.queues = new QueueState(this.kernel, this.nature, this.logOf(this.nature));
    this.layout = this.kernel.chance(0.5) ? 'dedicated' : 'pooled';
    this.isCrowded = this.kernel.chance(0.3);
    this.tenants = seedTenants(this.kernel, this.tables, 2);
    this.faults = new Faults({
      kernel: this.kernel,
      disk: this.disk,
      rates: chooseRates(this.kernel),
      slowShare: this.isCrowded ? 0.4 : 0.05,
      victims: () => [...this.#processes.values()],
      loseQueues: () => this.queues.lose(),
    });
    this.tables.onCommit.add((written) => {
      for (const [key, row] of written.get('batch_evaluations') ?? [])
        if (row !== null && !this.evaluated.includes(key)) this.evaluated.push(key);
    });
    for (const role of roles) this.#start(role);
  }

  /** A process that takes logs in, or undefined when none lives. */
  get ingest(): { readonly owner: SimProcess; readonly receiver: HttpReceiver } | undefined {
    const living = [...this.#receivers.values()].filter(({ owner }) => owner.isAlive);
    return living.length === 0 ? undefined : this.kernel.pick(living);
  }

  /** Everything at work again, and no more harm. */
  calmDown(): void {
    this.faults.isOn = false;
    for (const process of this.#processes.values()) process.stalledUntilMs = 0;
  }

  uuid(): string {
    const text = `${(this.#uuids += 1).toString(16).padStart(12, '0')}`;
    const noise = Math.floor(this.kernel.random() * 0xffff).toString(16);
    return `${noise.padStart(8, '0')}-0000-7000-8000-${text}`;
  }

  /** The stores as a process reaches them. */
  givenTo(owner: SimProcess): Given {
    const step = (store: Store) => (what: string) => this.faults.step(owner, store, what);
    const random = (): number => this.kernel.random();
    const given: Given = {
      database: createModelDatabase({
        tables: this.tables,
        world: this.#databaseWorld(owner),
        intercept: this.#mutation?.intercept?.(this),
      }),
      objects: createModelObjects(this.disk, step('objects')),
      lakeClient: createModelLakeClient(this.lake, step('lake')),
      jobs: createModelJobs(this.queues, owner, step('queue')),
      http: this.#httpOf(owner),
      sandbox: this.#sandboxOf(owner),
      clock: { now: () => new Date(this.kernel.nowMs + owner.skewMs) },
      ids: { uuid: () => this.uuid(), secret: () => this.uuid() },
      log: this.logOf(owner),
      random,
      layout: this.layout,
    };
    return this.#mutation?.given?.(given, this, owner) ?? given;
  }

  logOf(owner: SimProcess): Log {
    const write = (event: string, fields?: Readonly<Record<string, unknown>>): void => {
      const error = fields?.['error'];
      this.kernel.note(owner, `log ${event}${error === undefined ? '' : ` ${errorText(error)}`}`);
    };
    const log: Log = { debug: write, info: write, warn: write, error: write, with: () => log };
    return log;
  }

  #start(name: string): void {
    const { kernel } = this;
    const owner = kernel.newProcess(name, { skewMs: kernel.between(-1500, 1500), canBeHarmed: true });
    this.#processes.set(name, owner);
    owner.onDeath.add(() => kernel.after(kernel.between(50, 20_000), this.nature, () => this.#start(name)));
    kernel.after(kernel.between(0, 50), owner, () => {
      kernel.note(owner, 'starts');
      const given = this.givenTo(owner);
      if (name.startsWith('ingest')) this.#receivers.set(name, { owner, receiver: startIngest(given) });
      else if (name.startsWith('worker')) startWorker(given, { ...noSeams, ...this.#mutation?.seams });
      else void startScheduler(given);
    });
  }

  #databaseWorld(owner: SimProcess): DatabaseWorld {
    const { kernel } = this;
    return {
      now: () => new Date(kernel.nowMs),
      step: (what) => this.faults.step(owner, 'database', what),
      resume: (wake) => void kernel.after(kernel.between(0, 2), owner, wake),
      onDeath: (end) => {
        owner.onDeath.add(end);
        return () => owner.onDeath.delete(end);
      },
      notify: (channels) => {
        for (const listener of this.#listeners) {
          if (!channels.has(listener.channel) || kernel.chance(this.faults.rates.lostNotice)) continue;
          kernel.after(kernel.between(0, 5), listener.owner, listener.tell);
        }
      },
      listen: (channel, tell) => {
        const listener = { channel, owner, tell };
        this.#listeners.add(listener);
        owner.onDeath.add(() => this.#listeners.delete(listener));
        return () => void this.#listeners.delete(listener);
      },
    };
  }

  /** Receivers of alerts: they take what comes, or take it and fail to say so, or are away. */
  #httpOf(owner: SimProcess): HttpClient {
    const { kernel, faults } = this;
    return {
      send: async ({ url, headers, body }) => {
        if (!owner.isAlive) return new Promise<never>(() => undefined);
        kernel.note(owner, `sends to ${url}`);
        await kernel.wait(kernel.chance(0.2) ? kernel.between(1000, 9000) : kernel.between(1, 50), owner);
        if (kernel.chance(faults.rates.lostAnswer)) return { kind: 'failed', reason: 'connection', detail: '' };
        const { alertId } = JSON.parse(String(body)) as { alertId: string };
        this.received.push({ url, key: String(headers?.['Idempotency-Key']), alertId });
        await kernel.wait(kernel.between(0, 20), owner);
        if (kernel.chance(faults.rates.crash * 10)) kernel.kill(owner);
        if (!owner.isAlive) return new Promise<never>(() => undefined);
        if (kernel.chance(faults.rates.lostAnswer)) return { kind: 'failed', reason: 'timeout', detail: '' };
        return { kind: 'response', status: 200, headers: {}, body: Buffer.alloc(0), isPublicAddress: true };
      },
    };
  }

  /** Rules look for a word in a field. A flaky rule fails now and then, and every run words its titles differently. */
  #sandboxOf(owner: SimProcess): Pick<SandboxPool, 'evaluate'> {
    return {
      evaluate: async ({ content, logType, records, cache }) => {
        await this.faults.step(owner, 'sandbox', `runs ${content.rules.length} rules over ${logType}`);
        const run = (this.sandboxRuns += 1);
        const lines = records.toString('utf8').split('\n').slice(0, -1);
        const matches: RuleMatch[] = [];
        const errors: RuleError[] = [];
        for (const { id, body, severity, logTypes } of content.rules) {
          if (!logTypes.includes(logType)) continue;
          const { hit, isFlaky, remembers } = JSON.parse(body) as SimRule;
          for (const [recordIndex, line] of lines.entries()) {
            const event = JSON.parse(line) as { readonly hit: string; readonly group: string };
            if (isFlaky && this.kernel.chance(0.3))
              errors.push({
                recordIndex,
                ruleId: id,
                kind: 'timeout',
                exception: 'Timeout',
                message: `${run}`,
                traceback: '',
              });
            else if (event.hit === hit) {
              const seen = remembers ? ` after ${await remember(cache, event.group)}` : '';
              matches.push({ recordIndex, ruleId: id, title: `run ${run}${seen}`, dedup: event.group, severity });
            }
          }
        }
        await this.kernel.wait(this.kernel.chance(0.1) ? this.kernel.between(100, 20_000) : 5, owner);
        const count = (found: readonly { readonly ruleId: string }[], id: string): number =>
          found.filter(({ ruleId }) => ruleId === id).length;
        const statistics = content.rules
          .filter(({ logTypes }) => logTypes.includes(logType))
          .map(({ id }) => ({
            ruleId: id,
            runs: lines.length,
            sampledMicroseconds: 1,
            matches: count(matches, id),
            errors: count(errors, id),
          }));
        return { matches, errors, statistics, indexMisses: [], rulesPerEvent: [] };
      },
    };
  }
}
