import {
  type ContentItem,
  type DetectionKind,
  isDerived,
  isSimple,
  typeName,
  unitTests,
} from '../content/content-item.ts';
import { resolveDerived } from '../content/derived.ts';
import { runCorrelationTests } from '../correlation/correlation-tests.ts';
import type { SandboxContent, SandboxPool, UnitTestResult } from '../sandbox/sandbox-contract.ts';
import { sandboxContent, testingContent } from '../sandbox-content.ts';
import { compileFilters } from '../simple/compile.ts';
import { SimpleError } from '../simple/simple-error.ts';
import { describeLoadError } from './load-problems.ts';
import { runSimpleTests } from './simple-tests.ts';

/** What came of one item: its tests, and why it could not run at all. */
export type ItemOutcome = {
  readonly id: string;
  readonly type: ReturnType<typeof typeName>;
  readonly status: 'passed' | 'failed' | 'invalid' | 'skipped';
  readonly message: string | undefined;
  readonly tests: readonly UnitTestResult[];
};

export type TestOptions = {
  /** Below it an item fails; from two on it needs a test of either expectation. */
  readonly minimumTests?: number;
  readonly testNames?: readonly string[];
  /** When given, destinations() may name only these. */
  readonly destinations?: readonly string[];
};

type Runner = {
  readonly sandbox: Pick<SandboxPool, 'test' | 'check'>;
  readonly tenantId: string;
};

/** What rules import and use. */
export const libraryKinds: ReadonlySet<DetectionKind> = new Set(['GLOBAL', 'DATAMODEL']);

const testedTypes = new Set(['rule', 'scheduled_rule', 'policy', 'correlation_rule']);
export const hasTests = ({ spec }: ContentItem): boolean => testedTypes.has(spec.AnalysisType);

function tooFew(item: ContentItem, minimum: number): string | undefined {
  const tests = 'Tests' in item.spec ? (item.spec.Tests ?? []) : [];
  if (tests.length < minimum) return `has ${tests.length} tests, needs ${minimum}`;
  const expectations = new Set(tests.map((test) => test.ExpectedResult));
  if (minimum > 1 && expectations.size < 2) return 'needs a test that expects true and one that expects false';
  return undefined;
}

/** A test that expects an alert fails when destinations() names one that does not exist. */
function withDestinations(result: UnitTestResult, known: readonly string[] | undefined): UnitTestResult {
  const output = result.functions['destinations']?.output;
  if (known === undefined || output === undefined || !result.passed || result.output !== true) return result;
  const names: unknown = JSON.parse(output);
  const unknown = Array.isArray(names)
    ? names.find((name) => name !== 'SKIP' && !known.includes(String(name)))
    : undefined;
  if (unknown === undefined) return result;
  const error = { exception: 'UnknownDestinationError', message: `"${String(unknown)}" is no destination` };
  return { ...result, passed: false, functions: { ...result.functions, destinations: { error } } };
}

/** Events that the filters of a rule keep away from it are no match, whatever its logic says. */
function withFilters(item: ContentItem, results: readonly UnitTestResult[]): readonly UnitTestResult[] {
  const { spec } = item;
  if (spec.AnalysisType !== 'rule' || isDerived(spec) || !spec.InlineFilters?.length) return results;
  const passes = compileFilters(spec.InlineFilters);
  return results.map((result) => {
    const test = spec.Tests?.find(({ Name }) => Name === result.name);
    if (test === undefined || passes(test.Log)) return result;
    return { ...result, output: false, passed: !test.ExpectedResult, functions: { rule: { output: 'false' } } };
  });
}

async function pythonTests(
  { sandbox, tenantId }: Runner,
  content: SandboxContent,
  item: ContentItem,
): Promise<readonly UnitTestResult[]> {
  const { spec } = item;
  if (
    (spec.AnalysisType !== 'rule' && spec.AnalysisType !== 'scheduled_rule' && spec.AnalysisType !== 'policy') ||
    isDerived(spec)
  )
    return [];
  return sandbox.test({ tenantId, content, ruleId: item.id, tests: unitTests(spec) });
}

async function resultsOf(
  runner: Runner,
  content: SandboxContent,
  item: ContentItem,
): Promise<readonly UnitTestResult[]> {
  const { spec } = item;
  if (spec.AnalysisType === 'correlation_rule')
    return runCorrelationTests(spec).map(({ name, passed, error }) => ({
      name,
      passed,
      output: null,
      error: error === undefined ? null : { exception: 'CorrelationError', message: error },
      functions: {},
    }));
  const results = isSimple(spec) ? runSimpleTests(spec) : await pythonTests(runner, content, item);
  return withFilters(item, results);
}

function outcome(
  item: ContentItem,
  status: ItemOutcome['status'],
  message?: string,
  tests: readonly UnitTestResult[] = [],
): ItemOutcome {
  return { id: item.id, type: typeName(item.spec), status, message, tests };
}

/**
 * Runs the tests of the wanted items; `items` is everything that they may import or derive from. Items come one by
 * one, as they are ready.
 */
export async function* runTests(
  runner: Runner,
  items: readonly ContentItem[],
  wanted: readonly ContentItem[],
  { minimumTests = 0, testNames, destinations }: TestOptions = {},
): AsyncGenerator<ItemOutcome> {
  const content = sandboxContent(testingContent(items));
  const loadErrors = await runner.sandbox.check({ tenantId: runner.tenantId, content });
  const resolved = new Map(resolveDerived(items).map((item) => [item.id, item]));
  const brokenById = new Map(
    loadErrors.map((error) => [error.ruleId, describeLoadError(error, resolved.get(error.ruleId)?.bodyFile)]),
  );
  for (const item of wanted.filter((other) => other.kind === 'GLOBAL' || other.kind === 'DATAMODEL')) {
    const broken = brokenById.get(item.id);
    if (broken !== undefined) yield outcome(item, 'invalid', broken);
  }
  for (const item of wanted.filter(hasTests)) {
    const effective = resolved.get(item.id);
    const broken = brokenById.get(item.id);
    const few = tooFew(effective ?? item, minimumTests);
    if (effective === undefined) yield outcome(item, 'skipped', 'its base rule was not found');
    else if (broken !== undefined) yield outcome(item, 'invalid', broken);
    else yield await runItem(runner, content, item, effective, { few, testNames, destinations });
  }
}

type Checks = {
  readonly few: string | undefined;
  readonly testNames: readonly string[] | undefined;
  readonly destinations: readonly string[] | undefined;
};

async function runItem(
  runner: Runner,
  content: SandboxContent,
  item: ContentItem,
  effective: ContentItem,
  { few, testNames, destinations }: Checks,
): Promise<ItemOutcome> {
  try {
    const results = (await resultsOf(runner, content, chosen(effective, testNames))).map((result) =>
      withDestinations(result, destinations),
    );
    const failed = results.some((result) => !result.passed) || few !== undefined;
    const none = results.length === 0 && few === undefined ? 'has no tests' : few;
    return outcome(item, failed ? 'failed' : 'passed', none, results);
  } catch (error) {
    if (error instanceof SimpleError) return outcome(item, 'invalid', `${error.path.join('.')}: ${error.message}`);
    throw error;
  }
}

/** The item with only the named tests. */
function chosen(item: ContentItem, names: readonly string[] | undefined): ContentItem {
  const { spec } = item;
  if (names === undefined || !('Tests' in spec)) return item;
  const keep = <Test extends { readonly Name: string }>(tests: readonly Test[] | undefined) =>
    tests?.filter(({ Name }) => names.includes(Name));
  return { ...item, spec: { ...spec, Tests: keep(spec.Tests as readonly { Name: string }[]) } as typeof spec };
}
