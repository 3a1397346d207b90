import type { EvaluateAnswer } from './answers.ts';
import { parsePrepare } from './answers.ts';
import type { OwnIndexMisses } from './index-miss-store.ts';
import type { IndexUse, SandboxContent, UnindexedReport } from './sandbox-contract.ts';
import { SandboxFailure, type SandboxProcess } from './sandbox-process.ts';

/** What a request to evaluate says about the index. */
type IndexHeader = { readonly index: IndexUse['mode']; readonly always: readonly number[]; readonly verify: boolean };

/**
 * What one tenant's sandbox knows of its index: which log types the process has prepared, which rules were found to be
 * left out wrongly and always run since, and when the next sample is due. Counts for one revision of the content.
 */
export class IndexBook {
  readonly #use: IndexUse;
  readonly #misses: OwnIndexMisses | undefined;
  readonly #reportUnindexed: UnindexedReport;
  readonly #random: () => number;
  #prepared = new WeakMap<SandboxProcess, Set<string>>();
  #unindexed = new Set<string>();
  #verified = new Set<string>();
  #always = new Set<number>();

  /** Without `misses` what is found is known to this process only. */
  constructor(
    use: IndexUse,
    misses?: OwnIndexMisses,
    reportUnindexed: UnindexedReport = () => undefined,
    random: () => number = Math.random,
  ) {
    this.#use = use;
    this.#misses = misses;
    this.#reportUnindexed = reportUnindexed;
    this.#random = random;
  }

  /** Begins with changed content: knows nothing but which of its rules were found to be left out wrongly before. */
  async open(content: SandboxContent): Promise<void> {
    this.#prepared = new WeakMap();
    this.#unindexed = new Set();
    this.#verified = new Set();
    const found = new Set(this.#use.mode === 'off' ? [] : await this.#misses?.find(content.revision));
    this.#always = new Set([...content.rules.keys()].filter((number) => found.has(content.rules[number]?.id ?? '')));
  }

  /**
   * How to evaluate the next chunk. The process analyses the rules of a log type once, in a request of its own, so that
   * the time it takes is no rule's fault. Without an analysis every rule runs.
   */
  async header(
    process: SandboxProcess,
    logType: string,
    options: { readonly timeoutMs: number; readonly isWatched: boolean },
  ): Promise<IndexHeader> {
    const off: IndexHeader = { index: 'off', always: [], verify: false };
    if (this.#use.mode === 'off' || this.#unindexed.has(logType)) return off;
    const prepared = this.#prepared.get(process) ?? new Set();
    this.#prepared.set(process, prepared);
    if (!prepared.has(logType)) {
      try {
        const { timeoutMs } = options;
        const { failure } = parsePrepare(await process.request({ kind: 'prepare', logType }, noBytes, { timeoutMs }));
        if (failure !== undefined) this.#reportUnindexed({ logType, reason: failure });
      } catch (failure) {
        if (failure instanceof SandboxFailure) {
          this.#unindexed.add(logType);
          this.#reportUnindexed({ logType, reason: failure.message });
        }
        throw failure;
      }
      prepared.add(logType);
    }
    const verify = !options.isWatched && (!this.#verified.has(logType) || this.#random() < this.#use.verifyShare);
    return { index: this.#use.mode, always: [...this.#always], verify };
  }

  /** Takes note of an answer: rules that were missed always run from now on, in later processes too. */
  async note(content: SandboxContent, logType: string, answer: EvaluateAnswer): Promise<void> {
    if (answer.missed === undefined) return;
    this.#verified.add(logType);
    const found = [...new Set(answer.missed.map(([, rule]) => rule))].filter((rule) => !this.#always.has(rule));
    if (found.length === 0) return;
    for (const rule of found) this.#always.add(rule);
    const ruleIds = found.flatMap((rule) => content.rules[rule]?.id ?? []);
    // A store that cannot be reached must not cost the batch its alerts; the next process samples anew.
    await this.#misses?.add(content.revision, ruleIds).catch(() => undefined);
  }
}

const noBytes = Buffer.alloc(0);
