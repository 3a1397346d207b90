import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestDeployment } from '../support/deployment.ts';
import { startReceiver } from '../support/webhook-receiver.ts';
import { expected } from './expected.ts';
import { hasStopped, orderStops, readJournal } from './journal.ts';
import { type Outcome, readOutcome } from './outcome.ts';
import { pass, type Passage, preparePassage } from './scenario.ts';

/** A passage during which processes were stopped. */
export type CrashResult = {
  /** The steps after which a process was to stop. */
  readonly stops: readonly string[];
  /** Those after which one did. */
  readonly reached: readonly string[];
  readonly seconds: number;
  /** Every durable step of the passage, in order. */
  readonly journal: readonly string[];
  readonly outcome: Outcome;
};

/** A deployment whose durable steps are written down, and which can be told after which of them to stop. */
export type CrashRun = {
  /** Lets a new tenant go through everything once, until the outcome is the wanted one or time is over. */
  passage(stops: readonly string[], isWanted: (outcome: Outcome) => boolean): Promise<CrashResult>;
  /** The outcomes of all passages as they are now: something that came late would show. */
  readAll(): Promise<readonly Outcome[]>;
  stop(): Promise<void>;
};

/** Leases of batches and loads end after 30 s, those of deliveries after 60 s, and the machine may be busy. */
const patienceMs = 240_000;
/** A process that ends often is started again later and later, so the whole deployment is started anew now and then. */
const passagesPerStart = 4;

/** Every process of the deployment is observed, also one that the supervisor starts again later. */
function observeProcesses(stepsFolder: string, preloads: readonly string[]): () => void {
  const before = process.env['NODE_OPTIONS'];
  process.env['CRASH_POINTS_FOLDER'] = stepsFolder;
  const files = ['durable-steps.ts', ...preloads].map((name) => path.join(import.meta.dirname, name));
  process.env['NODE_OPTIONS'] = files.map((file) => `--import ${file}`).join(' ');
  return () => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  };
}

async function untilWanted(read: () => Promise<Outcome>, isWanted: (outcome: Outcome) => boolean): Promise<Outcome> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const outcome = await read();
    if (isWanted(outcome) || performance.now() > endsAt) return outcome;
    await sleep(300);
  }
}

type Options = {
  /** More files of this folder that each process loads before the product. */
  readonly preloads?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
};

export async function startCrashRun({ preloads = [], environment = {} }: Options = {}): Promise<CrashRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-crash-'));
  const stepsFolder = path.join(folder, 'steps');
  orderStops(stepsFolder, []);
  const receivers = { taking: await startReceiver(), refusing: await startReceiver(() => 400) };
  const passages: Passage[] = [];
  const stopObserving = observeProcesses(stepsFolder, preloads);
  const start = () => startTestDeployment({ folder, environment: { MARGAY_LOG_LEVEL: 'silent', ...environment } });
  let deployment = await start();
  const read = (passage: Passage): Promise<Outcome> =>
    readOutcome(deployment, passage, [...receivers.taking.messages, ...receivers.refusing.messages]);
  return {
    async passage(stops, isWanted) {
      if (passages.length > 0 && passages.length % passagesPerStart === 0) {
        await deployment.stop();
        deployment = await start();
      }
      const passage = await preparePassage(deployment, receivers, `passage-${passages.length}`);
      passages.push(passage);
      orderStops(stepsFolder, stops);
      const startedAt = performance.now();
      await pass(deployment, passage);
      const outcome = await untilWanted(() => read(passage), isWanted);
      return {
        stops,
        reached: stops.filter((step) => hasStopped(stepsFolder, step)),
        seconds: (performance.now() - startedAt) / 1000,
        journal: readJournal(stepsFolder),
        outcome,
      };
    },
    readAll: () => Promise.all(passages.map(read)),
    async stop() {
      await deployment.stop();
      stopObserving();
      await receivers.taking.close();
      await receivers.refusing.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const isAsExpected = (outcome: Outcome): boolean =>
  Object.entries(expected).every(([name, value]) => isDeepStrictEqual(outcome[name as keyof Outcome], value));

/** Goes through everything undisturbed, twice, and says what comes of it and which steps there are. */
export async function undisturbed(
  run: CrashRun,
): Promise<{ readonly outcome: Outcome; readonly steps: readonly string[] }> {
  const first = await run.passage([], isAsExpected);
  const second = await run.passage([], (outcome) => isDeepStrictEqual(outcome, first.outcome));
  return { outcome: first.outcome, steps: [...new Set([...first.journal, ...second.journal])] };
}
