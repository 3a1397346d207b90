import type { ItemOutcome, UnitTestResult } from '#detections';
import type { LocalProblem } from './content-options.ts';

type Counts = { passed: number; failed: number };
type TypeCounts = { items: number; passed: number; failed: number; invalid: number; skipped: number; tests: Counts };

/** What a test run ends with: unit tests, items by type, and why anything failed. */
export type TestReport = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly types: Readonly<Record<string, TypeCounts>>;
  readonly invalid: readonly { readonly id: string; readonly file: string; readonly message: string }[];
  readonly problems: readonly LocalProblem[];
  readonly failures: readonly {
    readonly id: string;
    readonly file: string;
    readonly test: string;
    readonly error: string;
  }[];
  readonly seconds: number;
};

/** An exception with the lines of content that it went through. */
export function describeError({ exception, message, traceback = '' }: NonNullable<UnitTestResult['error']>): string {
  // The place of a syntax error is in its message already.
  const lines = traceback === '' || message.includes(traceback) ? [] : traceback.split('\n');
  return [`${exception}: ${message}`, ...lines.map((line) => `  at ${line}`)].join('\n');
}

/** Why a test failed: one text per function that raised, or what came instead of what the test expects. */
function reasonsOf(result: UnitTestResult): readonly string[] {
  const raised = Object.entries(result.functions).flatMap(([name, { error }]) =>
    error === undefined ? [] : [`${name}: ${describeError(error)}`],
  );
  if (result.error) return [describeError(result.error), ...raised];
  if (raised.length > 0) return raised;
  return [
    result.output === null ? 'returned nothing' : `returned ${result.output}, the test expects ${!result.output}`,
  ];
}

type Folder = {
  readonly problems: readonly LocalProblem[];
  readonly fileOf: ReadonlyMap<string, string>;
  /** How many tests an item has. */
  readonly testCount: (id: string) => number;
};

/** Counts outcomes. Tests of items that could not run are skipped tests. */
export function reportOf(
  outcomes: readonly ItemOutcome[],
  { problems, fileOf, testCount }: Folder,
  seconds: number,
): TestReport {
  const types: Record<string, TypeCounts> = {};
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { id, type, status, tests } of outcomes) {
    const counts = (types[type] ??= {
      items: 0,
      passed: 0,
      failed: 0,
      invalid: 0,
      skipped: 0,
      tests: { passed: 0, failed: 0 },
    });
    counts.items += 1;
    counts[status] += 1;
    const passed = tests.filter((result) => result.passed).length;
    counts.tests.passed += passed;
    counts.tests.failed += tests.length - passed;
    total.passed += passed;
    total.failed += tests.length - passed;
    if (status === 'invalid' || status === 'skipped') total.skipped += testCount(id);
  }
  const file = (id: string): string => fileOf.get(id) ?? '';
  const failures = outcomes.flatMap(({ id, tests }) =>
    tests
      .filter((result) => !result.passed)
      .map((result) => ({ id, file: file(id), test: result.name, error: reasonsOf(result).join('; ') })),
  );
  const invalid = outcomes.flatMap(({ id, status, message }) =>
    status === 'invalid' || (status === 'failed' && message !== undefined)
      ? [{ id, file: file(id), message: message ?? '' }]
      : [],
  );
  return { ...total, types, invalid, problems, failures, seconds: Number(seconds.toFixed(2)) };
}

/** Lines for one item; `file` is its YAML. */
export function describeOutcome(
  { id, status, message, tests }: ItemOutcome,
  file: string,
  failuresOnly: boolean,
): readonly string[] {
  if (failuresOnly && (status === 'passed' || status === 'skipped')) return [];
  const mark = { passed: 'PASS', failed: 'FAIL', invalid: 'INVALID', skipped: 'SKIP' }[status];
  const where = status === 'failed' || status === 'invalid' ? ` ${file}` : '';
  const lines = [`[${mark}] ${id}${where}${message === undefined ? '' : `: ${message}`}`];
  for (const result of tests) {
    if (failuresOnly && result.passed) continue;
    lines.push(`    [${result.passed ? 'PASS' : 'FAIL'}] ${result.name}`);
    if (!result.passed)
      lines.push(...reasonsOf(result).map((reason) => `        ${reason.replaceAll('\n', '\n        ')}`));
  }
  return lines;
}

/** Lines at the end. */
export function describeReport(report: TestReport): readonly string[] {
  const width = Math.max(4, ...Object.keys(report.types).map((name) => name.length));
  const rows = Object.entries(report.types).map(
    ([name, { items, passed, failed, invalid, skipped, tests }]) =>
      `${name.padEnd(width)}  ${items} items: ${passed} passed, ${failed} failed, ${invalid} invalid, ${skipped} skipped; ${tests.passed}/${tests.passed + tests.failed} tests`,
  );
  return [
    ...rows,
    `${report.passed} tests passed, ${report.failed} failed, ${report.skipped} skipped in ${report.seconds} s`,
  ];
}
