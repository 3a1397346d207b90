import type {
  EvaluationResult,
  IndexMiss,
  IndexUse,
  RuleError,
  RuleErrorKind,
  RuleExplanation,
  RuleMatch,
  RuleStatistics,
  SandboxContent,
  UnindexedReport,
  UnitTest,
  UnitTestResult,
  Withheld,
} from './sandbox-contract.ts';
import type { CacheSession } from '../cache/cache-session.ts';
import { type EvaluateAnswer, parseEvaluate, parseExplain, parseLoad, parseQuestion, parseTest } from './answers.ts';
import { type Chunk, chunkLines, halves, withheldIn } from './chunks.ts';
import { IndexBook } from './index-book.ts';
import type { OwnIndexMisses } from './index-miss-store.ts';
import { SandboxFailure, type SandboxImage, type SandboxProcess } from './sandbox-process.ts';
import type { TenantSnapshot } from './tenant-snapshots.ts';

export type SandboxLimits = {
  readonly chunkRecords: number;
  readonly chunkBytes: number;
  /** For a chunk whose rules all behave. Beyond it the chunk is run again, watched rule by rule. */
  readonly chunkTimeoutMs: number;
  /** For one call of one rule, when watched. */
  readonly ruleTimeoutMs: number;
  readonly loadTimeoutMs: number;
  /** Rules set aside within one chunk before all the rest are. */
  readonly culpritsMax: number;
};

type Deps = {
  readonly newProcess: (image?: SandboxImage) => Promise<SandboxProcess>;
  readonly limits: SandboxLimits;
  readonly index: IndexUse;
  readonly misses?: OwnIndexMisses | undefined;
  readonly reportUnindexed?: UnindexedReport | undefined;
  /** Of the tenant whose sandbox this is. */
  readonly snapshots:
    | {
        find(revision: string): Promise<TenantSnapshot | undefined>;
        save(revision: string, snapshot: TenantSnapshot): Promise<void>;
        forget(revision: string): Promise<void>;
      }
    | undefined;
};

/** Records of one log type, and what the rules remember while they look at them. */
type Work = {
  readonly logType: string;
  readonly records: Buffer;
  readonly cache?: CacheSession | undefined;
  readonly withheld?: Withheld | undefined;
};

const answerFrom =
  (cache: CacheSession) =>
  async (question: Buffer): Promise<Buffer | undefined> => {
    const keys = parseQuestion(question);
    return keys && Buffer.from(JSON.stringify(await cache.see(keys)));
  };

const noBytes = Buffer.alloc(0);

const culpritMessage = (
  failure: SandboxFailure,
  limits: SandboxLimits,
  during: 'load' | 'run',
): { kind: RuleErrorKind; exception: string; message: string } =>
  failure.kind === 'timeout'
    ? {
        kind: 'timeout',
        exception: 'TimeoutError',
        message: `The rule did not ${during === 'load' ? 'load' : 'finish'} within ${
          during === 'load' ? limits.loadTimeoutMs : limits.ruleTimeoutMs
        } ms and was stopped.`,
      }
    : { kind: 'crash', exception: 'SystemError', message: 'The rule ended the interpreter.' };

/**
 * One tenant's interpreter and what it holds. Calls must not overlap: the pool queues them. Whatever a rule does to
 * its process costs that rule its chunk and the tenant some milliseconds; the other rules' results are complete.
 */
export class TenantSandbox {
  readonly #deps: Deps;
  #process: SandboxProcess | undefined;
  #content: SandboxContent | undefined;
  #loadErrors: readonly RuleError[] = [];
  #unloadable = new Map<number, RuleError>();
  /** Content whose interpreter could not be kept as a snapshot. */
  #unkeepable: string | undefined;
  /** Chunks this interpreter has worked on. */
  chunks = 0;

  readonly #index: IndexBook;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#index = new IndexBook(deps.index, deps.misses, deps.reportUnindexed);
  }

  get isRunning(): boolean {
    return this.#process?.isAlive === true;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  close(): void {
    this.#process?.kill();
    this.#process = undefined;
    this.chunks = 0;
  }

  /** Loads into a fresh interpreter and reports what does not load. */
  check(content: SandboxContent): Promise<readonly RuleError[]> {
    this.close();
    return this.load(content);
  }

  /** Brings the content into a process of its own. A rule that hangs or kills while it is loaded is left out. */
  async load(content: SandboxContent): Promise<readonly RuleError[]> {
    if (this.#process?.isAlive && this.#content?.revision === content.revision) return this.#loadErrors;
    if (this.#content?.revision !== content.revision) {
      this.#unloadable = new Map();
      await this.#index.open(content);
    }
    this.#content = content;
    this.close();
    if (await this.#restore(content)) return this.#loadErrors;
    for (;;) {
      this.close();
      try {
        this.#loadErrors = await this.#tryLoad(content);
        await this.#keep(content);
        if (!this.isRunning) continue;
        return this.#loadErrors;
      } catch (failure) {
        this.close();
        const culprit = failure instanceof SandboxFailure ? failure.progress?.rule : undefined;
        if (
          !(failure instanceof SandboxFailure) ||
          culprit === undefined ||
          this.#unloadable.size >= this.#deps.limits.culpritsMax
        )
          throw failure;
        const { kind, exception, message } = culpritMessage(failure, this.#deps.limits, 'load');
        this.#unloadable.set(culprit, {
          recordIndex: null,
          ruleId: content.rules[culprit]?.id ?? '',
          kind,
          exception,
          message,
          traceback: '',
        });
      }
    }
  }

  /** Goes on from the snapshot of this content, if there is one that still fits. */
  async #restore(content: SandboxContent): Promise<boolean> {
    const found = await this.#deps.snapshots?.find(content.revision);
    if (found === undefined) return false;
    try {
      this.#process = await this.#deps.newProcess({ kind: 'snapshot', bytes: found.memory });
      parseLoad(await this.#process.request({ kind: 'ping' }, noBytes, { timeoutMs: this.#deps.limits.ruleTimeoutMs }));
    } catch (failure) {
      if (!(failure instanceof SandboxFailure)) throw failure;
      await this.#deps.snapshots?.forget(content.revision);
      return false;
    }
    this.#loadErrors = found.loadErrors;
    this.#unloadable = new Map(found.unloadable);
    return true;
  }

  /** Keeps the loaded interpreter as a snapshot, before it sees any event. */
  async #keep(content: SandboxContent): Promise<void> {
    const { snapshots } = this.#deps;
    if (snapshots === undefined || this.#process === undefined || this.#unkeepable === content.revision) return;
    const { loadErrors, unloadable } = { loadErrors: this.#loadErrors, unloadable: [...this.#unloadable] };
    try {
      const memory = await this.#process.snapshot();
      // Not awaited: evaluation need not wait for a store, and without the snapshot the next start is slower, no more.
      void snapshots.save(content.revision, { memory, loadErrors, unloadable }).catch(() => undefined);
    } catch (failure) {
      // Content that reached for the bridge to JavaScript cannot be kept; it is loaded again and runs without.
      if (!(failure instanceof SandboxFailure)) throw failure;
      this.#unkeepable = content.revision;
      this.close();
    }
  }

  async #tryLoad(content: SandboxContent): Promise<readonly RuleError[]> {
    const { limits } = this.#deps;
    const process = await this.#deps.newProcess();
    this.#process = process;
    const body = Buffer.from(
      JSON.stringify({ globals: content.globals, dataModels: content.dataModels, rules: content.rules }),
    );
    const header = { kind: 'load', skip: [...this.#unloadable.keys()] };
    const answer = parseLoad(
      await process.request(header, body, { timeoutMs: limits.loadTimeoutMs, stallMs: limits.loadTimeoutMs }),
    );
    const failed = answer.errors.map(({ id, ...error }): RuleError => ({
      recordIndex: null,
      ruleId: id,
      kind: 'load',
      ...error,
    }));
    return [...failed, ...this.#unloadable.values()];
  }

  async #loaded(content: SandboxContent): Promise<SandboxProcess> {
    await this.load(content);
    if (this.#process === undefined) throw new SandboxFailure('crash', 'The interpreter has ended.', undefined);
    return this.#process;
  }

  /** Runs the rules chunk by chunk; between two of them `breathe` may let other calls in. */
  async evaluate(content: SandboxContent, work: Work, breathe: () => Promise<void>): Promise<EvaluationResult> {
    const { logType, records, cache } = work;
    const { chunkRecords, chunkBytes } = this.#deps.limits;
    const matches: RuleMatch[] = [];
    const errors: RuleError[] = [];
    const indexMisses: IndexMiss[] = [];
    const rulesPerEvent: number[] = [];
    const totals = new Map<string, RuleStatistics>();
    const chunks = [...chunkLines(records, chunkRecords, chunkBytes)];
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      if (chunk.first > 0) await breathe();
      const answer = await this.#evaluateChunk(content, work, chunk, errors);
      if (answer === 'too large') {
        chunks.unshift(...halves(chunk));
        continue;
      }
      this.chunks += 1;
      cache?.record(answer.cache);
      const { first } = chunk;
      const ruleId = (number: number): string => content.rules[number]?.id ?? '';
      for (const [rules, events] of (answer.rulesPerEvent ?? []).entries())
        rulesPerEvent[rules] = (rulesPerEvent[rules] ?? 0) + events;
      for (const [record, rule] of answer.missed ?? [])
        indexMisses.push({ recordIndex: first + record, ruleId: ruleId(rule) });
      for (const { record, rule, ...match } of answer.matches)
        matches.push({ recordIndex: first + record, ruleId: ruleId(rule), ...match });
      for (const { record, rule, ...error } of answer.errors)
        errors.push({ recordIndex: first + record, ruleId: ruleId(rule), ...error });
      for (const [number, runs, nanoseconds, matched, failed] of answer.statistics) {
        const before = totals.get(ruleId(number));
        totals.set(ruleId(number), {
          ruleId: ruleId(number),
          runs: (before?.runs ?? 0) + runs,
          sampledMicroseconds: (before?.sampledMicroseconds ?? 0) + nanoseconds / 1000,
          matches: (before?.matches ?? 0) + matched,
          errors: (before?.errors ?? 0) + failed,
        });
      }
    }
    const loadErrors = this.#loadErrors.filter((error) =>
      content.rules.some((rule) => rule.id === error.ruleId && rule.logTypes.includes(logType)),
    );
    return {
      matches,
      errors: [...loadErrors, ...errors],
      statistics: [...totals.values()],
      indexMisses,
      rulesPerEvent,
    };
  }

  /** Runs a chunk; after a failure again and watched, setting aside whichever rule was at work when it failed. */
  async #evaluateChunk(
    content: SandboxContent,
    { logType, cache, withheld }: Work,
    chunk: Chunk,
    errors: RuleError[],
  ): Promise<EvaluateAnswer | 'too large'> {
    const { limits } = this.#deps;
    const now = cache ? { now: cache.now.getTime() / 1000 } : {};
    const held = withheld?.size ? { withheld: withheldIn(chunk, content.rules, withheld) } : {};
    const skip: number[] = [];
    for (let isWatched = false; ; isWatched = true) {
      try {
        const process = await this.#loaded(content);
        const limit = isWatched
          ? { timeoutMs: limits.ruleTimeoutMs, stallMs: limits.ruleTimeoutMs }
          : { timeoutMs: limits.chunkTimeoutMs };
        const use = await this.#index.header(process, logType, { timeoutMs: limits.loadTimeoutMs, isWatched });
        const header = { kind: 'evaluate', logType, skip, trace: isWatched, ...now, ...held, ...use };
        const oracle = cache && answerFrom(cache);
        const answer = parseEvaluate(await process.request(header, chunk.bytes, { ...limit, oracle }));
        await this.#index.note(content, logType, answer);
        return answer;
      } catch (failure) {
        // A guest that answers that it failed has said before where it was.
        const progress = this.#process?.progress;
        this.close();
        if (!(failure instanceof SandboxFailure)) throw failure;
        if (failure.kind === 'flood' && chunk.count > 1) return 'too large';
        if (!isWatched) continue;
        const culprit = progress?.rule;
        if (culprit === undefined || skip.includes(culprit) || skip.length >= limits.culpritsMax)
          return this.#giveUp(content, logType, skip, failure, errors);
        skip.push(culprit);
        const record = progress?.record ?? 0;
        errors.push({
          recordIndex: chunk.first + record,
          ruleId: content.rules[culprit]?.id ?? '',
          traceback: '',
          ...culpritMessage(failure, limits, 'run'),
        });
      }
    }
  }

  /** No rule can be named, or too many: each that is left says so, and nothing is silently skipped. */
  #giveUp(
    content: SandboxContent,
    logType: string,
    skip: readonly number[],
    failure: SandboxFailure,
    errors: RuleError[],
  ): EvaluateAnswer {
    for (const [number, rule] of content.rules.entries()) {
      if (!rule.logTypes.includes(logType) || skip.includes(number)) continue;
      const message = `The rule did not run, because the interpreter failed: ${failure.message}`.slice(0, 1000);
      errors.push({
        recordIndex: null,
        ruleId: rule.id,
        kind: 'crash',
        exception: 'SystemError',
        message,
        traceback: '',
      });
    }
    return { matches: [], errors: [], statistics: [], cache: [] };
  }

  /** When each of some rules runs. */
  async explain(content: SandboxContent, ruleIds: readonly string[]): Promise<readonly RuleExplanation[]> {
    const process = await this.#loaded(content);
    const rules = ruleIds.map((id) => content.rules.findIndex((rule) => rule.id === id));
    const limit = { timeoutMs: this.#deps.limits.loadTimeoutMs };
    return parseExplain(await process.request({ kind: 'explain', rules }, noBytes, limit)).rules;
  }

  async test(content: SandboxContent, ruleId: string, tests: readonly UnitTest[]): Promise<readonly UnitTestResult[]> {
    const rule = content.rules.findIndex((item) => item.id === ruleId);
    const results: UnitTestResult[] = [];
    for (const test of tests) {
      try {
        const process = await this.#loaded(content);
        const loadError = this.#loadErrors.find((error) => error.ruleId === ruleId);
        if (loadError) {
          results.push(failedTest(test, loadError));
          continue;
        }
        const header = { kind: 'test', rule, tests: [test] };
        const answer = parseTest(
          await process.request(header, noBytes, { timeoutMs: this.#deps.limits.ruleTimeoutMs }),
        );
        results.push(
          answer.results[0] ?? failedTest(test, { exception: 'SystemError', message: 'The test gave no result.' }),
        );
      } catch (failure) {
        this.close();
        if (!(failure instanceof SandboxFailure)) throw failure;
        results.push(failedTest(test, culpritMessage(failure, this.#deps.limits, 'run')));
      }
    }
    return results;
  }
}

function failedTest(
  test: UnitTest,
  { exception, message }: { readonly exception: string; readonly message: string },
): UnitTestResult {
  return { name: test.name, passed: false, output: null, error: { exception, message }, functions: {} };
}
