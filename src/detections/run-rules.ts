import type { CacheSession } from './cache/cache-session.ts';
import type { ContentItem } from './content/content-item.ts';
import { isRuleItem, type RuleItem } from './content/derived.ts';
import type {
  IndexMiss,
  RuleError,
  RuleMatch,
  RuleStatistics,
  SandboxPool,
  SandboxRule,
  Withheld,
} from './sandbox/sandbox-contract.ts';
import { type EvaluationContent, sandboxContent } from './sandbox-content.ts';
import { compileFilters, type Predicate } from './simple/compile.ts';
import { compileSimpleRule, type SimpleRule } from './simple/simple-rule.ts';
import { parseJson } from '#platform/json';

/** What the rules found in the rows of one log type, as it is stored: retries read it instead of running them again. */
export type LogResult = {
  readonly logType: string;
  readonly matches: readonly RuleMatch[];
  readonly errors: readonly RuleError[];
  /** Absent in results that were stored by an earlier version. */
  readonly statistics?: readonly RuleStatistics[];
};

/** Rows of one log type, one JSON object a line. */
type LogRows = { readonly logType: string; readonly rows: Buffer };

/** The lines of a buffer that ends with a line feed; they share its memory. */
export function linesOf(rows: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < rows.length;) {
    const end = rows.indexOf(0x0a, start);
    lines.push(rows.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** Reads a row at most once, however many rules look at it. */
function eventReader(rows: Buffer): { readonly count: number; event(index: number): unknown } {
  const lines = linesOf(rows);
  const events = new Map<number, unknown>();
  return {
    count: lines.length,
    event(index) {
      if (!events.has(index)) events.set(index, parseJson((lines[index] ?? Buffer.alloc(0)).toString('utf8')));
      return events.get(index);
    },
  };
}

type Compiled = { readonly item: RuleItem; readonly rule: SimpleRule };

/** Rules without Python, and the filters in front of rules, compiled once per revision. */
type CompiledContent = {
  readonly simple: readonly Compiled[];
  readonly filters: ReadonlyMap<string, Predicate>;
};

const revisionsKept = 50;
const compiledByRevision = new Map<string, CompiledContent>();

function compileContent(items: readonly ContentItem[]): CompiledContent {
  const rules = items.filter(isRuleItem);
  const filtered = rules.filter(({ spec }) => spec.InlineFilters !== undefined && spec.InlineFilters.length > 0);
  return {
    simple: rules
      .filter(({ spec }) => spec.Detection !== undefined)
      .map((item) => ({ item, rule: compileSimpleRule(item.spec) })),
    filters: new Map(filtered.map(({ id, spec }) => [id, compileFilters(spec.InlineFilters ?? [])])),
  };
}

function compiledContent({ revision, items }: EvaluationContent): CompiledContent {
  const known = compiledByRevision.get(revision) ?? compileContent(items);
  // Used again, it goes to the end; the one unused for longest is the first.
  compiledByRevision.delete(revision);
  compiledByRevision.set(revision, known);
  const oldest = compiledByRevision.keys().next().value;
  if (compiledByRevision.size > revisionsKept && oldest !== undefined) compiledByRevision.delete(oldest);
  return known;
}

function simpleMatch({ item, rule }: Compiled, recordIndex: number, event: unknown): RuleMatch {
  const title = rule.title(event);
  return {
    recordIndex,
    ruleId: item.id,
    title: title ?? item.spec.DisplayName ?? item.id,
    dedup: (rule.dedup(event) ?? title) || `defaultDedupString:${item.id}`,
    severity: rule.severity(event),
    alertContext: rule.context(event),
  };
}

/** Runs the rules without Python over the rows. They cannot raise: what is missing or of another type is no match. */
function runSimple(
  compiled: readonly Compiled[],
  filters: ReadonlyMap<string, Predicate>,
  { logType, rows }: LogRows,
): LogResult {
  const wanted = compiled.filter(({ item }) => item.spec.LogTypes?.includes(logType));
  if (wanted.length === 0) return { logType, matches: [], errors: [], statistics: [] };
  const { count, event } = eventReader(rows);
  const matches: RuleMatch[] = [];
  const statistics = wanted.map((rule) => {
    const startedAt = performance.now();
    const before = matches.length;
    const passes = filters.get(rule.item.id);
    let runs = 0;
    for (let index = 0; index < count; index++) {
      if (passes !== undefined && !passes(event(index))) continue;
      runs += 1;
      if (rule.rule.matches(event(index))) matches.push(simpleMatch(rule, index, event(index)));
    }
    return {
      ruleId: rule.item.id,
      runs,
      sampledMicroseconds: (performance.now() - startedAt) * 1000,
      matches: matches.length - before,
      errors: 0,
    };
  });
  return { logType, matches, errors: [], statistics };
}

/** Records of one log type that filters keep from rules in Python. A rule is never called with such an event. */
function withheldBy(
  filters: ReadonlyMap<string, Predicate>,
  rules: readonly SandboxRule[],
  { logType, rows }: LogRows,
): Withheld {
  const filtered = rules.filter(({ id, logTypes }) => filters.has(id) && logTypes.includes(logType));
  const withheld = new Map<string, Set<number>>();
  if (filtered.length === 0) return withheld;
  const { count, event } = eventReader(rows);
  for (const { id } of filtered) {
    const passes = filters.get(id) ?? (() => true);
    const held = new Set<number>();
    for (let index = 0; index < count; index++) if (!passes(event(index))) held.add(index);
    withheld.set(id, held);
  }
  return withheld;
}

type BatchToRun = {
  readonly tenantId: string;
  readonly content: EvaluationContent;
  readonly logs: readonly LogRows[];
  /** What the rules remember; without it nothing. */
  readonly cache?: CacheSession;
  /** Hears where the rule index was wrong. */
  readonly report: (misses: readonly IndexMiss[]) => Promise<void>;
};

/** Runs every rule of the content over the rows of a batch. */
export async function runRules(
  sandbox: Pick<SandboxPool, 'evaluate'>,
  { tenantId, content, logs, cache, report }: BatchToRun,
): Promise<readonly LogResult[]> {
  const loaded = sandboxContent(content);
  const { simple, filters } = compiledContent(content);
  const results: LogResult[] = [];
  for (const log of logs) {
    const { logType, rows: records } = log;
    const parts = [runSimple(simple, filters, log)];
    if (loaded.rules.some((rule) => rule.logTypes.includes(logType))) {
      const withheld = withheldBy(filters, loaded.rules, log);
      const request = { tenantId, content: loaded, logType, records, withheld, ...(cache && { cache }) };
      const { matches, errors, statistics, indexMisses } = await sandbox.evaluate(request);
      await report(indexMisses);
      parts.push({ logType, matches, errors, statistics });
    }
    const merged: LogResult = {
      logType,
      matches: parts.flatMap((part) => part.matches),
      errors: parts.flatMap((part) => part.errors),
      statistics: parts.flatMap((part) => part.statistics ?? []),
    };
    if ([merged.matches, merged.errors, merged.statistics ?? []].some((found) => found.length > 0))
      results.push(merged);
  }
  return results;
}
