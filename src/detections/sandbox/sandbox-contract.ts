import type { CacheSession } from '../cache/cache-session.ts';

type Severity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';

export type SandboxRule = {
  readonly id: string;
  /** Which function is the matcher, and what it is called with; a rule on events when absent. */
  readonly kind?: 'rule' | 'scheduled_rule' | 'policy';
  readonly body: string;
  /** What its author calls the file of the body, for what he is told when it fails. */
  readonly file?: string;
  readonly logTypes: readonly string[];
  readonly severity: Severity;
  readonly displayName?: string;
};

type DataModelMapping = {
  readonly name: string;
  readonly path?: string | undefined;
  readonly method?: string | undefined;
};

/** Everything a tenant's interpreter loads. The revision is a hash of it: equal revision, equal content. */
export type SandboxContent = {
  readonly revision: string;
  readonly globals: readonly { readonly id: string; readonly body: string; readonly file?: string }[];
  readonly dataModels: readonly {
    readonly id: string;
    readonly logTypes: readonly string[];
    readonly mappings: readonly DataModelMapping[];
    readonly body?: string | undefined;
    readonly file?: string;
  }[];
  readonly rules: readonly SandboxRule[];
};

/** One rule said True about one record; all texts are already truncated and defaulted. */
export type RuleMatch = {
  readonly recordIndex: number;
  readonly ruleId: string;
  readonly title: string;
  readonly dedup: string;
  readonly severity: Severity;
  readonly description?: string | undefined;
  readonly reference?: string | undefined;
  readonly runbook?: string | undefined;
  readonly destinations?: readonly string[] | undefined;
  /** JSON text. */
  readonly alertContext?: string | undefined;
  /** What `unique` said, for a rule that has it: such a rule counts different values. Empty when it said nothing. */
  readonly unique?: string | undefined;
};

export type RuleErrorKind = 'exception' | 'return_type' | 'timeout' | 'memory' | 'crash' | 'load';

/** A rule could not say True or False. `recordIndex` is null when it is not about one record. */
export type RuleError = {
  readonly recordIndex: number | null;
  readonly ruleId: string;
  readonly kind: RuleErrorKind;
  /** Class of the exception, which is also the dedup string of the alert. */
  readonly exception: string;
  readonly message: string;
  readonly traceback: string;
};

export type RuleStatistics = {
  readonly ruleId: string;
  readonly runs: number;
  /** Measured on a sample of events. */
  readonly sampledMicroseconds: number;
  readonly matches: number;
  readonly errors: number;
};

/** The index had left out a rule that, as a sample showed, had something to say. From then on the rule always runs. */
export type IndexMiss = { readonly recordIndex: number; readonly ruleId: string };

export type EvaluationResult = {
  readonly matches: readonly RuleMatch[];
  readonly errors: readonly RuleError[];
  readonly statistics: readonly RuleStatistics[];
  readonly indexMisses: readonly IndexMiss[];
  /** How many events were shown to 0, 1, 2 … rules, samples left out. */
  readonly rulesPerEvent: readonly number[];
};

/** When a rule runs: a sentence about the event, or why it always does. */
export type RuleExplanation = { readonly witness: string | null; readonly reasons: readonly string[] };

/** Hears that rules of a log type could not be indexed: all of them run on every event, right but slow. */
export type UnindexedReport = (found: { readonly logType: string; readonly reason: string }) => void;

/**
 * How the rule index is used. `strict` keeps every match and every rule error; `matches` may leave out runs that would
 * only have raised. `verifyShare` of the chunks, and the first of each log type, run every rule and check the index.
 */
export type IndexUse = { readonly mode: 'strict' | 'matches' | 'off'; readonly verifyShare: number };

export type UnitTest = {
  readonly name: string;
  readonly expectedResult: boolean;
  /** JSON text of the event. */
  readonly event: string;
  readonly mocks: readonly { readonly objectName: string; readonly returnValue: unknown }[];
};

/** What a function raised, and through which lines of content: `file, line 3, in rule`, the innermost last. */
type TestError = {
  readonly exception: string;
  readonly message: string;
  readonly traceback?: string | undefined;
};

export type FunctionOutcome = {
  readonly output?: string | undefined;
  readonly error?: TestError | undefined;
};

export type UnitTestResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly output: boolean | null;
  readonly error: TestError | null;
  /** By function name: `rule`, `title`, `dedup` … */
  readonly functions: Readonly<Record<string, FunctionOutcome>>;
  /** What the detection printed, cut to a few thousand characters. */
  readonly printed?: string | undefined;
};

/** By the id of a rule, the records that it is not shown: its filters do not let them through. */
export type Withheld = ReadonlyMap<string, ReadonlySet<number>>;

/** Counts are of this pool's life. */
export type PoolStatus = {
  /** Interpreters that belong to a tenant. */
  readonly processes: number;
  /** What they hold together. */
  readonly memoryBytes: number;
  /** Processes that wait for a tenant, their program read; at most one. */
  readonly spare: number;
  /** Interpreters started from nothing, from the generic snapshot, from a tenant's. */
  readonly startsCold: number;
  readonly startsGeneric: number;
  readonly startsSnapshot: number;
  /** Ended while idle, so that another one fits into the memory: the one that was used longest ago. */
  readonly evictions: number;
  /** Ended after their work: worn out, too large, or broken. */
  readonly recycles: number;
  /** Ended because nobody asked for them. */
  readonly idleEnds: number;
};

export type SandboxPool = {
  /** Runs every rule of the log type over NDJSON records (one normalized event per line). */
  evaluate(request: {
    readonly tenantId: string;
    readonly content: SandboxContent;
    readonly logType: string;
    readonly records: Buffer;
    /** What the rules remember between events; without it they begin with nothing and it is forgotten. */
    readonly cache?: CacheSession;
    readonly withheld?: Withheld;
  }): Promise<EvaluationResult>;
  /** Runs unit tests of one rule; the content need not be stored. */
  test(request: {
    readonly tenantId: string;
    readonly content: SandboxContent;
    readonly ruleId: string;
    readonly tests: readonly UnitTest[];
  }): Promise<readonly UnitTestResult[]>;
  /** Says of each rule when it runs. */
  explain(request: {
    readonly tenantId: string;
    readonly content: SandboxContent;
    readonly ruleIds: readonly string[];
  }): Promise<readonly RuleExplanation[]>;
  /** Loads the content and reports what does not load. */
  check(request: { readonly tenantId: string; readonly content: SandboxContent }): Promise<readonly RuleError[]>;
  /** What the pool holds now, and what happened since it was made. */
  status(): PoolStatus;
  close(): Promise<void>;
};
