import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { StoredDetection, UnitTestResult } from '#detections';
import { badInput } from '#platform/errors';
import { present, severityNames, timestamp } from './shapes.ts';

/** The names of a rule in REST, and those of the same settings in a content file. */
const settings = {
  displayName: 'DisplayName',
  description: 'Description',
  tags: 'Tags',
  reports: 'Reports',
  reference: 'Reference',
  outputIDs: 'OutputIds',
  runbook: 'Runbook',
  summaryAttributes: 'SummaryAttributes',
  dedupPeriodMinutes: 'DedupPeriodMinutes',
  threshold: 'Threshold',
  createAlert: 'CreateAlert',
  logTypes: 'LogTypes',
} as const;

const testInput = z.object({
  name: z.string(),
  expectedResult: z.boolean(),
  log: z.unknown().optional(),
  resource: z.string().nullish(),
  mocks: z.array(z.record(z.string(), z.unknown())).nullish(),
});

const common = {
  displayName: z.string().nullish(),
  description: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  reports: z.record(z.string(), z.array(z.string())).nullish(),
  reference: z.string().nullish(),
  outputIDs: z.array(z.string()).nullish(),
  tests: z.array(testInput).nullish(),
  runbook: z.string().nullish(),
  summaryAttributes: z.array(z.string()).nullish(),
  dedupPeriodMinutes: z.int().min(1).nullish(),
  threshold: z.int().min(1).nullish(),
  createAlert: z.boolean().nullish(),
  logTypes: z.array(z.string()).nullish(),
  inlineFilters: z.string().nullish(),
};

/** What a rule is made of; what is only read is ignored, so that what was read can be sent back. */
export const ruleInput = z.object({
  id: z.string().min(1).max(200),
  body: z.string(),
  severity: severityNames,
  enabled: z.boolean().nullish(),
  ...common,
});

export type RuleInput = z.output<typeof ruleInput>;

const testShape = z.object({
  name: z.string(),
  expectedResult: z.boolean(),
  log: z.unknown().optional(),
  resource: z.string().optional(),
  mocks: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** A rule as REST shows it. */
export const ruleShape = z.object({
  id: z.string(),
  body: z.string(),
  severity: severityNames,
  enabled: z.boolean(),
  displayName: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  reports: z.record(z.string(), z.array(z.string())).optional(),
  reference: z.string().optional(),
  outputIDs: z.array(z.string()).optional(),
  tests: z.array(testShape).optional(),
  runbook: z.string().optional(),
  summaryAttributes: z.array(z.string()).optional(),
  dedupPeriodMinutes: z.int().optional(),
  threshold: z.int().optional(),
  createAlert: z.boolean().optional(),
  logTypes: z.array(z.string()).optional(),
  inlineFilters: z.string().optional(),
  managed: z.boolean().optional(),
  createdAt: timestamp,
  lastModified: timestamp,
});

function eventOf(test: z.output<typeof testInput>): unknown {
  if (test.log !== undefined && test.log !== null) return test.log;
  try {
    return JSON.parse(test.resource ?? '{}');
  } catch {
    throw badInput('tests', `tests: the resource of "${test.name.slice(0, 200)}" is not JSON`);
  }
}

function filtersOf(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch {
    throw badInput('inlineFilters', 'inlineFilters: is not YAML');
  }
}

/** The content file that says the same; JSON is YAML. */
export function specificationOf(rule: RuleInput): string {
  const named = Object.entries(settings).flatMap(([name, key]) => {
    const value: unknown = Object.entries(rule).find(([other]) => other === name)?.[1];
    return value === undefined || value === null ? [] : [[key, value]];
  });
  return JSON.stringify({
    AnalysisType: 'rule',
    RuleID: rule.id,
    Enabled: rule.enabled ?? true,
    Filename: `${rule.id.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}.py`,
    Severity: rule.severity.charAt(0) + rule.severity.slice(1).toLowerCase(),
    ...Object.fromEntries(named),
    ...(rule.tests && rule.tests.length > 0
      ? {
          Tests: rule.tests.map((test) => ({
            Name: test.name,
            ExpectedResult: test.expectedResult,
            Log: eventOf(test),
            ...(test.mocks && test.mocks.length > 0 ? { Mocks: test.mocks } : {}),
          })),
        }
      : {}),
    ...(rule.inlineFilters ? { InlineFilters: filtersOf(rule.inlineFilters) } : {}),
  });
}

const specTest = z.object({
  Name: z.string(),
  ExpectedResult: z.boolean(),
  Log: z.unknown(),
  Mocks: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** A stored rule as REST shows it. */
export function ruleBody({
  id,
  body,
  isEnabled,
  spec,
  createdAt,
  updatedAt,
}: StoredDetection): z.input<typeof ruleShape> {
  const kept: Readonly<Record<string, unknown>> = { ...spec };
  const named = Object.entries(settings).flatMap(([name, key]) => (kept[key] === undefined ? [] : [[name, kept[key]]]));
  const tests = z.array(specTest).safeParse(kept['Tests']).data ?? [];
  return {
    id,
    body,
    severity: severityNames.parse(String(kept['Severity']).toUpperCase()),
    enabled: isEnabled,
    ...Object.fromEntries(named),
    tests: tests.map((test) => ({
      name: test.Name,
      expectedResult: test.ExpectedResult,
      log: test.Log,
      resource: JSON.stringify(test.Log),
      ...present('mocks', test.Mocks),
    })),
    managed: false,
    createdAt: createdAt.toISOString(),
    lastModified: updatedAt.toISOString(),
  };
}

/** One unit test that ran, in an answer that refuses to save. */
export const testResultShape = z.object({
  name: z.string(),
  passed: z.boolean(),
  errored: z.boolean(),
  triggerAlert: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

export const testResultBody = (result: UnitTestResult): z.input<typeof testResultShape> => ({
  name: result.name,
  passed: result.passed,
  errored: result.error !== null,
  ...present('triggerAlert', result.output),
  ...present('error', result.error && { code: result.error.exception, message: result.error.message }),
});
