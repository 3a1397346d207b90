import { type Actor, admit, requirePermission } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, notFound } from '#platform/errors';
import type { Database } from '#platform/postgres';
import {
  type ContentItem,
  isDerived,
  isSimple,
  parseSpec,
  type RuleSpec,
  type ScheduledRuleSpec,
  unitTests,
} from '../content/content-item.ts';
import { matchExpressions } from '../content/types/match-expression.ts';
import { contentRights } from '../content-rights.ts';
import { type CorrelationTestResult, runCorrelationTests } from '../correlation/correlation-tests.ts';
import * as operations from '../detection-operations.ts';
import { readItem } from '../detection-service.ts';
import { findDetection, listDetections } from '../detection-store.ts';
import type { RuleExplanation, SandboxPool, UnitTest, UnitTestResult } from '../sandbox/sandbox-contract.ts';
import { transpileFilters } from '../simple/transpile/transpile-filters.ts';
import { transpileToPython } from '../simple/transpile/transpile-python.ts';
import { enrichedEvent } from './enriched-event.ts';
import { explainRules } from './explain-rules.ts';
import { hasTests, libraryKinds, runTests } from './run-tests.ts';

/** Running the unit tests of content that is saved or not. */
export type TestingService = {
  test(actor: Actor, input: unknown): Promise<readonly UnitTestResult[]>;
  testCorrelationRule(actor: Actor, input: unknown): Promise<readonly CorrelationTestResult[]>;
  runsWhen(actor: Actor, input: unknown): Promise<RuleExplanation>;
  /** Python of detections in YAML, in their order. */
  transpileRules(actor: Actor, input: unknown): Promise<readonly string[]>;
  /** Inline filters in the form of command lines, in their order. */
  transpileFilters(actor: Actor, input: unknown): Promise<readonly string[]>;
  /** The event of a test with what enrichment adds to it. */
  enrich(actor: Actor, input: unknown): Promise<Readonly<Record<string, unknown>>>;
  pythonBody(actor: Actor, input: unknown): Promise<{ readonly body: string; readonly tests: readonly UnitTest[] }>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check' | 'test' | 'explain'>;
};

/** What the tests of an item may use: the library, and for a derived rule its base. */
function companions(item: ContentItem, saved: readonly ContentItem[]): readonly ContentItem[] {
  const base = isDerived(item.spec) ? item.spec.BaseDetection : undefined;
  return saved.filter((other) => other.id !== item.id && (libraryKinds.has(other.kind) || other.id === base));
}

const notRun = (name: string, message: string): UnitTestResult => ({
  name,
  passed: false,
  output: null,
  error: { exception: 'SetupError', message },
  functions: {},
});

/** Runs the unit tests of an item that need not be saved, beside the library and the base that are. */
export async function testItem(
  deps: Pick<Deps, 'database' | 'sandbox'>,
  actor: Actor,
  item: ContentItem,
): Promise<readonly UnitTestResult[]> {
  const saved = await deps.database.withTenant(actor.tenantId, listDetections);
  const runner = { sandbox: deps.sandbox, tenantId: actor.tenantId };
  const items = [...companions(item, saved), item];
  for await (const { id, status, message, tests } of runTests(runner, items, [item])) {
    if (id !== item.id) continue;
    if (status !== 'invalid' && status !== 'skipped') return tests;
    const names = 'Tests' in item.spec ? (item.spec.Tests ?? []).map(({ Name }) => Name) : [];
    return names.map((name) => notRun(name, message ?? status));
  }
  return [];
}

async function testNow(deps: Deps, actor: Actor, input: unknown): Promise<readonly UnitTestResult[]> {
  const item = readItem(admit(actor, operations.testDetection, input));
  requirePermission(actor, { ...operations.testDetection, permission: contentRights[item.kind].read });
  if (!hasTests(item)) throw badInput('specification', `specification: a ${item.spec.AnalysisType} has no tests`);
  const results = await testItem(deps, actor, item);
  await deps.database.withTenant(actor.tenantId, (tx) =>
    deps.audit.record(tx, actor, operations.testDetection, { target: { kind: 'detection', id: item.id } }),
  );
  return results;
}

/** Syntax errors are results too: the tool that asks prints them beside the rule. */
async function testCorrelation(deps: Deps, actor: Actor, input: unknown): Promise<readonly CorrelationTestResult[]> {
  const { yaml } = admit(actor, operations.testCorrelationRuleYaml, input);
  const parsed = parseSpec(yaml);
  if ('problems' in parsed)
    throw badInput('yaml', parsed.problems.map(({ key, message }) => `${key} ${message}`.trim()).join('; '));
  const { spec } = parsed;
  if (spec.AnalysisType !== 'correlation_rule')
    throw badInput('yaml', `yaml: a ${spec.AnalysisType} is no correlation_rule`);
  await deps.database.withTenant(actor.tenantId, (tx) =>
    deps.audit.record(tx, actor, operations.testCorrelationRuleYaml, {
      target: { kind: 'detection', id: spec.RuleID },
    }),
  );
  return runCorrelationTests(spec);
}

function simpleSpecOf(text: string): RuleSpec | ScheduledRuleSpec {
  const parsed = parseSpec(text);
  if ('problems' in parsed)
    throw new Error(parsed.problems.map(({ key, message }) => `${key} ${message}`.trim()).join('; '));
  if (!isSimple(parsed.spec)) throw new Error('is no rule with a Detection');
  return parsed.spec;
}

function filtersOf(text: string) {
  const read = matchExpressions.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  throw new Error(read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; '));
}

/** Says which of several texts is wrong. */
function atItem<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw badInput('data', `data.${index}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

const recordTest = ({ database, audit }: Deps, actor: Actor, operation: typeof operations.transpileRules) =>
  database.withTenant(actor.tenantId, (tx) =>
    audit.record(tx, actor, operation, { target: { kind: 'detection', id: '' } }),
  );

export function createTestingService(deps: Deps): TestingService {
  return {
    test: (actor, input) => testNow(deps, actor, input),
    testCorrelationRule: (actor, input) => testCorrelation(deps, actor, input),
    async runsWhen(actor, input) {
      const { id } = admit(actor, operations.detectionRunsWhen, input);
      const saved = await deps.database.withTenant(actor.tenantId, listDetections);
      const item = saved.find((other) => other.id === id);
      if (item === undefined) throw notFound('rule', id);
      const { read } = contentRights[item.kind];
      requirePermission(actor, {
        ...operations.detectionRunsWhen,
        permission: [...read, 'BulkUpload', 'BulkUploadValidate'],
      });
      const runner = { sandbox: deps.sandbox, tenantId: actor.tenantId };
      const [found] = await explainRules(runner, [...companions(item, saved), item], [item]);
      return found ?? { witness: null, reasons: ['it has no Python that says whether to alert'] };
    },
    async pythonBody(actor, input) {
      const { id } = admit(actor, operations.rulePythonBody, input);
      const found = await deps.database.withTenant(actor.tenantId, (tx) => findDetection(tx, id));
      const spec = found?.spec;
      if (
        found === undefined ||
        (spec?.AnalysisType !== 'rule' && spec?.AnalysisType !== 'scheduled_rule') ||
        isDerived(spec)
      )
        throw notFound('rule', id);
      return { body: found.body, tests: unitTests(spec) };
    },
    async enrich(actor, input) {
      const { event } = admit(actor, operations.generateEnrichedEvent, input);
      return enrichedEvent(await deps.database.withTenant(actor.tenantId, listDetections), event);
    },
    async transpileRules(actor, input) {
      const { data } = admit(actor, operations.transpileRules, input);
      const python = data.map((text, index) => atItem(index, () => transpileToPython(simpleSpecOf(text))));
      await recordTest(deps, actor, operations.transpileRules);
      return python;
    },
    async transpileFilters(actor, input) {
      const { data } = admit(actor, operations.transpileRuleFilters, input);
      const filters = data.map((text, index) => atItem(index, () => transpileFilters(filtersOf(text))));
      await recordTest(deps, actor, operations.transpileRuleFilters);
      return filters;
    },
  };
}
