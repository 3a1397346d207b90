import type {
  EvaluationResult,
  RuleError,
  RuleErrorKind,
  RuleMatch,
  RuleStatistics,
  SandboxContent,
  UnitTest,
  UnitTestResult,
} from './sandbox-contract.ts';
import { type EvaluateAnswer, parseEvaluate, parseLoad, parseTest } from './answers.ts';
import { type Chunk, chunkLines } from './chunks.ts';
import { SandboxFailure, type SandboxProcess } from './sandbox-process.ts';

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

type Deps = { readonly newProcess: () => Promise<SandboxProcess>; readonly limits: SandboxLimits };

const noBytes = Buffer.alloc(0);

const culpritMessage = (
  failure: SandboxFailure,
  limits: SandboxLimits,
): { kind: RuleErrorKind; exception: string; message: string } =>
  failure.kind === 'timeout'
    ? {
        kind: 'timeout',
        exception: 'TimeoutError',
        message: `The rule did not finish within ${limits.ruleTimeoutMs} ms and was stopped.`,
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
  #chunks = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  close(): void {
    this.#process?.kill();
    this.#process = undefined;
  }

  /** Starts anew with the next call once the interpreter has worked long enough. */
  recycleAfter(chunks: number): void {
    if (this.#chunks <= chunks) return;
    this.close();
    this.#chunks = 0;
  }

  /** Loads into a fresh interpreter and reports what does not load. */
  check(content: SandboxContent): Promise<readonly RuleError[]> {
    this.close();
    return this.load(content);
  }

  /** Brings the content into a process of its own. A rule that hangs or kills while it is loaded is left out. */
  async load(content: SandboxContent): Promise<readonly RuleError[]> {
    if (this.#process?.isAlive && this.#content?.revision === content.revision) return this.#loadErrors;
    if (this.#content?.revision !== content.revision) this.#unloadable = new Map();
    this.#content = content;
    for (;;) {
      this.close();
      try {
        this.#loadErrors = await this.#tryLoad(content);
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
        const { kind, exception, message } = culpritMessage(failure, this.#deps.limits);
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

  async evaluate(content: SandboxContent, logType: string, records: Buffer): Promise<EvaluationResult> {
    const { chunkRecords, chunkBytes } = this.#deps.limits;
    const matches: RuleMatch[] = [];
    const errors: RuleError[] = [];
    const totals = new Map<string, RuleStatistics>();
    for (const chunk of chunkLines(records, chunkRecords, chunkBytes)) {
      const answer = await this.#evaluateChunk(content, logType, chunk, errors);
      this.#chunks += 1;
      const ruleId = (number: number): string => content.rules[number]?.id ?? '';
      for (const { record, rule, ...match } of answer.matches)
        matches.push({ recordIndex: chunk.first + record, ruleId: ruleId(rule), ...match });
      for (const { record, rule, ...error } of answer.errors)
        errors.push({ recordIndex: chunk.first + record, ruleId: ruleId(rule), ...error });
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
    return { matches, errors: [...loadErrors, ...errors], statistics: [...totals.values()] };
  }

  /** Runs a chunk; after a failure again and watched, setting aside whichever rule was at work when it failed. */
  async #evaluateChunk(
    content: SandboxContent,
    logType: string,
    chunk: Chunk,
    errors: RuleError[],
  ): Promise<EvaluateAnswer> {
    const { limits } = this.#deps;
    const skip: number[] = [];
    for (let isWatched = false; ; isWatched = true) {
      try {
        const process = await this.#loaded(content);
        const limit = isWatched
          ? { timeoutMs: limits.ruleTimeoutMs, stallMs: limits.ruleTimeoutMs }
          : { timeoutMs: limits.chunkTimeoutMs };
        return parseEvaluate(
          await process.request({ kind: 'evaluate', logType, skip, trace: isWatched }, chunk.bytes, limit),
        );
      } catch (failure) {
        this.close();
        if (!(failure instanceof SandboxFailure)) throw failure;
        if (!isWatched) continue;
        const culprit = failure.progress?.rule;
        if (culprit === undefined || skip.includes(culprit) || skip.length >= limits.culpritsMax)
          return this.#giveUp(content, logType, skip, failure, errors);
        skip.push(culprit);
        const record = failure.progress?.record ?? 0;
        errors.push({
          recordIndex: chunk.first + record,
          ruleId: content.rules[culprit]?.id ?? '',
          traceback: '',
          ...culpritMessage(failure, limits),
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
    return { matches: [], errors: [], statistics: [] };
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
        results.push(failedTest(test, culpritMessage(failure, this.#deps.limits)));
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
