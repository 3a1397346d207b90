import type { EvaluateAnswer } from './answers.ts';
import { parsePrepare } from './answers.ts';
import type { IndexUse } from './sandbox-contract.ts';
import { SandboxFailure, type SandboxProcess } from './sandbox-process.ts';

/** What a request to evaluate says about the index. */
type IndexHeader = { readonly index: IndexUse['mode']; readonly always: readonly number[]; readonly verify: boolean };

/**
 * What one tenant's sandbox knows of its index: which log types the process has prepared, which rules were found to be
 * left out wrongly and always run since, and when the next sample is due. Counts for one revision of the content.
 */
export class IndexBook {
  readonly #use: IndexUse;
  readonly #random: () => number;
  #prepared = new WeakMap<SandboxProcess, Set<string>>();
  #unindexed = new Set<string>();
  #verified = new Set<string>();
  #always = new Set<number>();

  constructor(use: IndexUse, random: () => number = Math.random) {
    this.#use = use;
    this.#random = random;
  }

  /** Forgets everything, because the content has changed. */
  reset(): void {
    this.#prepared = new WeakMap();
    this.#unindexed = new Set();
    this.#verified = new Set();
    this.#always = new Set();
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
        parsePrepare(await process.request({ kind: 'prepare', logType }, noBytes, { timeoutMs: options.timeoutMs }));
      } catch (failure) {
        if (failure instanceof SandboxFailure) this.#unindexed.add(logType);
        throw failure;
      }
      prepared.add(logType);
    }
    const verify = !options.isWatched && (!this.#verified.has(logType) || this.#random() < this.#use.verifyShare);
    return { index: this.#use.mode, always: [...this.#always], verify };
  }

  /** Takes note of an answer: rules that were missed always run from now on. */
  note(logType: string, answer: EvaluateAnswer): void {
    if (answer.missed === undefined) return;
    this.#verified.add(logType);
    for (const [, rule] of answer.missed) this.#always.add(rule);
  }
}

const noBytes = Buffer.alloc(0);
