/** One benchmark: a file of `scripts/bench` exports it as `benchmark`; the file's name is the benchmark's. */
export type Benchmark = {
  readonly summary: string;
  /** Options of the command line with their defaults, all as text. */
  readonly options: Readonly<Record<string, { readonly type: 'string'; readonly default: string }>>;
  run(call: BenchmarkCall): Promise<BenchmarkResult>;
};

export type BenchmarkCall = {
  /** Every option, given or default. */
  readonly options: Readonly<Record<string, string>>;
  /** One line for the person who watches. */
  readonly say: (line: string) => void;
};

type BenchmarkResult = {
  /** What was measured, units in the names, with the baseline of the same run. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** What was wrong with the product while it was measured (something lost, a promise broken); never that it was slow. */
  readonly problems: readonly string[];
};

/** What a file of `scripts/bench` exports, checked. */
export function asBenchmark(name: string, exported: unknown): Benchmark {
  const found = exported as Partial<Benchmark> | undefined;
  if (typeof found?.run !== 'function' || typeof found.summary !== 'string' || typeof found.options !== 'object')
    throw new Error(`scripts/bench/${name}.ts must export \`benchmark\`: summary, options and run.`);
  return found as Benchmark;
}

/** A whole number option. Throws an error that names the option. */
export function wholeOption(options: BenchmarkCall['options'], name: string): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name}: must be a whole number.`);
  return value;
}

/** The value below which the share of all values lies; null of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? null;
}
