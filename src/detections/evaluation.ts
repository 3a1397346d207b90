import type { AlertIntake, DetectionMatch } from '#alerts';
import type { Lake, RowsForLake } from '#lake';
import { DomainError } from '#platform/errors';
import { hashId } from '#platform/ids';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import type { SystemErrorRecorder } from '#system-errors';
import type { CacheChange } from './cache/cache-item.ts';
import { openCacheSession } from './cache/cache-session.ts';
import { applyCacheChanges, readCache } from './cache/cache-store.ts';
import type { ContentItem, RuleSpec } from './content/content-item.ts';
import { isRuleItem } from './content/derived.ts';
import { createContentRevisions } from './content-revisions.ts';
import { findAlertIds, insertEvaluation, resultsKey, saveAlertIds } from './detection-store.ts';
import type { IndexMiss, RuleError, RuleMatch, SandboxPool } from './sandbox/sandbox-contract.ts';
import { type LogResult, linesOf, runRules } from './run-rules.ts';
import type { EvaluationContent } from './sandbox-content.ts';
import { addStatistics } from './statistics-store.ts';

/** A batch as detections see it: rows by log type, and what its manifest fixed. */
type BatchToEvaluate = {
  readonly tenantId: string;
  readonly batchId: string;
  readonly contentRevision: string;
  readonly evaluatedAt: Date;
  readonly receivedAt: Date;
  readonly traceId: string;
  readonly logs: readonly { readonly logType: string; readonly rows: Buffer }[];
};

type EvaluationCounts = { readonly matches: number; readonly ruleErrors: number };

export type Evaluator = {
  /** Revision of the tenant's enabled content now; its meaning is kept. */
  currentRevision(tenantId: string): Promise<string>;
  /** Runs the rules and applies every effect, once, however often it is called for the batch. */
  evaluate(batch: BatchToEvaluate): Promise<EvaluationCounts>;
};

type Deps = {
  readonly database: Database;
  readonly sandbox: Pick<SandboxPool, 'evaluate'>;
  readonly objects: Pick<ObjectStore, 'putNew' | 'get'>;
  readonly lake: Pick<Lake, 'stage'>;
  readonly alerts: AlertIntake;
  readonly systemErrors: Pick<SystemErrorRecorder, 'record'>;
};

/** What came of a batch, and what its rules will remember. */
type BatchResult = { readonly logs: readonly LogResult[]; readonly cache: readonly CacheChange[] };

/** Results stored before rules could remember anything are a bare list. */
function parseResult(text: string): BatchResult {
  const stored = JSON.parse(text) as BatchResult | readonly LogResult[];
  return 'logs' in stored ? stored : { logs: stored, cache: [] };
}

type Hit = {
  readonly match: DetectionMatch;
  readonly row: Readonly<Record<string, unknown>>;
  readonly error: RuleError | undefined;
};

function ruleSpecs(items: readonly ContentItem[]): ReadonlyMap<string, RuleSpec> {
  return new Map(items.filter(isRuleItem).map(({ id, spec }) => [id, spec]));
}

const standardNames = ['p_event_time', 'p_parse_time', 'p_log_type', 'p_row_id', 'p_source_id', 'p_source_label'];

/** Standard fields and indicators of an event row; the event itself goes along as its text, unchanged. */
function rowParts(line: Buffer | undefined, logType: string, evaluatedAt: Date): Record<string, unknown> {
  if (line === undefined)
    return {
      p_event_time: evaluatedAt.toISOString(),
      p_parse_time: evaluatedAt.toISOString(),
      p_log_type: logType,
      p_row_id: '',
      p_source_id: '',
      p_source_label: '',
    };
  const event = JSON.parse(line.toString('utf8')) as Record<string, unknown>;
  const kept = Object.entries(event).filter(([name]) => standardNames.includes(name) || name.startsWith('p_any_'));
  return { ...Object.fromEntries(kept), p_event: line.toString('utf8') };
}

/** Tactics and techniques a rule is about, as its author wrote them. */
const mitreOf = ({ Reports }: RuleSpec): readonly string[] => (Reports?.['MITRE ATT&CK'] ?? []).map(String);

function baseMatch(
  { receivedAt }: BatchToEvaluate,
  spec: RuleSpec,
  id: string,
  logType: string,
  row: Readonly<Record<string, unknown>>,
): Omit<DetectionMatch, 'type' | 'dedup' | 'title' | 'severity' | 'context' | 'destinations'> {
  return {
    detectionId: id,
    displayName: spec.DisplayName ?? id,
    description: spec.Description ?? '',
    reference: spec.Reference ?? '',
    runbook: spec.Runbook ?? '',
    dedupPeriodMinutes: spec.DedupPeriodMinutes,
    threshold: spec.Threshold,
    createsAlert: spec.CreateAlert,
    logType,
    tags: spec.Tags ?? [],
    mitre: mitreOf(spec),
    rowId: String(row['p_row_id']),
    sourceId: String(row['p_source_id']) || undefined,
    eventTime: new Date(String(row['p_event_time'])),
    receivedAt,
  };
}

function matchHit(
  batch: BatchToEvaluate,
  logType: string,
  line: Buffer | undefined,
  spec: RuleSpec,
  found: RuleMatch,
): Hit {
  const row = rowParts(line, logType, batch.evaluatedAt);
  const base = baseMatch(batch, spec, found.ruleId, logType, row);
  const match: DetectionMatch = {
    ...base,
    type: 'RULE',
    description: found.description ?? base.description,
    reference: found.reference ?? base.reference,
    runbook: found.runbook ?? base.runbook,
    dedup: found.dedup,
    title: found.title,
    severity: found.severity,
    context: found.alertContext,
    destinations: found.destinations ?? spec.OutputIds,
    unique: found.unique,
  };
  return { match, row, error: undefined };
}

function errorHit(
  batch: BatchToEvaluate,
  logType: string,
  line: Buffer | undefined,
  spec: RuleSpec,
  error: RuleError,
): Hit {
  const row = rowParts(line, logType, batch.evaluatedAt);
  const base = baseMatch(batch, spec, error.ruleId, logType, row);
  const { kind, exception, message, traceback } = error;
  const match: DetectionMatch = {
    ...base,
    type: 'RULE_ERROR',
    threshold: 1,
    createsAlert: true,
    dedup: exception,
    title: `Rule error: ${base.displayName}: ${exception}: ${message}`.slice(0, 1000),
    severity: spec.Severity,
    context: JSON.stringify({ kind, exception, message, traceback }),
    destinations: spec.OutputIds,
  };
  return { match, row, error };
}

function hitsOf(
  batch: BatchToEvaluate,
  results: readonly LogResult[],
  specs: ReadonlyMap<string, RuleSpec>,
): readonly Hit[] {
  return results.flatMap(({ logType, matches, errors }) => {
    const lines = linesOf(batch.logs.find((log) => log.logType === logType)?.rows ?? Buffer.alloc(0));
    const specOf = (ruleId: string) => specs.get(ruleId);
    const matched = matches.flatMap((found) => {
      const spec = specOf(found.ruleId);
      return spec ? [matchHit(batch, logType, lines[found.recordIndex], spec, found)] : [];
    });
    const failed = errors.flatMap((error) => {
      const spec = specOf(error.ruleId);
      const line = error.recordIndex === null ? undefined : lines[error.recordIndex];
      return spec ? [errorHit(batch, logType, line, spec, error)] : [];
    });
    return [...matched, ...failed];
  });
}

/** Rows of matches, signals and errors for the lake. Ids are made of the event and the rule, so repetitions are equal. */
function lakeRows(hits: readonly Hit[], alertIds: readonly (string | null)[]): readonly RowsForLake[] {
  const lines = { rule_matches: [] as string[], signals: [] as string[], rule_errors: [] as string[] };
  for (const [index, { match, row, error }] of hits.entries()) {
    const text = JSON.stringify({
      ...row,
      p_row_id: hashId(String(row['p_row_id']), match.detectionId, match.type),
      p_rule_id: match.detectionId,
      p_rule_severity: match.severity,
      p_rule_tags: match.tags,
      p_alert_id: alertIds[index] ?? '',
      p_alert_title: match.title,
      p_alert_severity: match.severity,
      p_alert_context: match.context ?? '{}',
      p_dedup: match.dedup,
      ...(error
        ? { p_rule_error: error.message, p_rule_error_kind: error.kind, p_rule_error_traceback: error.traceback }
        : {}),
    });
    if (error) lines.rule_errors.push(text);
    else {
      lines.signals.push(text);
      if (match.createsAlert) lines.rule_matches.push(text);
    }
  }
  return (['rule_matches', 'signals', 'rule_errors'] as const).map((family) => ({
    family,
    logType: '',
    rows: Buffer.from(lines[family].map((line) => `${line}\n`).join('')),
    count: lines[family].length,
  }));
}

/** Tells the tenant that the index was wrong about some rules. They run on every event until their content changes. */
async function reportMisses(
  { database, systemErrors }: Deps,
  batch: BatchToEvaluate,
  misses: readonly IndexMiss[],
): Promise<void> {
  if (misses.length === 0) return;
  await database.withTenant(batch.tenantId, async (tx) => {
    for (const ruleId of new Set(misses.map((miss) => miss.ruleId)))
      await systemErrors.record(tx, {
        type: 'DETECTION_INDEX_MISMATCH',
        subjectId: ruleId,
        subjectName: ruleId,
        message: `The rule index would have left out "${ruleId}" on an event that it has something to say about. It runs on every event now. Earlier matches may be missing: replay what matters.`,
        traceId: batch.traceId,
      });
  });
}

async function freshResult(deps: Deps, batch: BatchToEvaluate, content: EvaluationContent): Promise<BatchResult> {
  const cache = openCacheSession(batch.evaluatedAt, (keys) =>
    deps.database.withTenant(batch.tenantId, (tx) => readCache(tx, keys)),
  );
  const logs = await runRules(deps.sandbox, {
    tenantId: batch.tenantId,
    content,
    logs: batch.logs,
    cache,
    report: (misses) => reportMisses(deps, batch, misses),
  });
  return { logs, cache: cache.changes() };
}

/** Results of the first finished run; stored before any effect, so a retry cannot find something else. */
async function storedResults(deps: Deps, batch: BatchToEvaluate, content: EvaluationContent): Promise<BatchResult> {
  const key = resultsKey(batch.tenantId, batch.batchId);
  const read = async () => parseResult((await deps.objects.get(key)).toString('utf8'));
  const found = await read().catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'not_found') return undefined;
    throw error;
  });
  const results = found ?? (await freshResult(deps, batch, content));
  // Results that were found may not be on the disk yet: their writer may have died on the way. Storing them again sees
  // to it that they are, before they have effects that a loss of power does not take back.
  // A worker that was thought dead may have stored its own in the meantime: the first ones count for both.
  const isFirst = await deps.objects.putNew(key, Buffer.from(JSON.stringify(results)));
  return isFirst ? results : read();
}

export function createEvaluator(deps: Deps): Evaluator {
  const revisions = createContentRevisions(deps);
  const { database } = deps;
  const applyOnce = (batch: BatchToEvaluate, hits: readonly Hit[], { logs, cache }: BatchResult) =>
    database.withTenant(batch.tenantId, async (tx) => {
      if (!(await insertEvaluation(tx, batch.batchId, batch.evaluatedAt)))
        return (await findAlertIds(tx, batch.batchId)) ?? [];
      const alertIds = await deps.alerts.applyMatches(tx, {
        batchId: batch.batchId,
        evaluatedAt: batch.evaluatedAt,
        traceId: batch.traceId,
        matches: hits.map((hit) => hit.match),
      });
      await saveAlertIds(tx, batch.batchId, alertIds);
      const statistics = logs.flatMap((log) => log.statistics ?? []);
      await addStatistics(tx, batch.evaluatedAt, statistics);
      await applyCacheChanges(tx, cache, batch.evaluatedAt);
      return alertIds;
    });
  return {
    currentRevision: (tenantId) => revisions.current(tenantId),
    async evaluate(batch) {
      const content = await revisions.content(batch.tenantId, batch.contentRevision);
      const results = await storedResults(deps, batch, content);
      const hits = hitsOf(batch, results.logs, ruleSpecs(content.items));
      const alertIds = await applyOnce(batch, hits, results);
      const staged = await deps.lake.stage(batch.tenantId, batch.batchId, lakeRows(hits, alertIds));
      await database.withTenant(batch.tenantId, (tx) => staged.register(tx));
      const ruleErrors = hits.filter((hit) => hit.error !== undefined).length;
      return { matches: hits.length - ruleErrors, ruleErrors };
    },
  };
}
