import { z } from 'zod';
import type { ContentType, UnitTestResult } from '#detections';
import { badInput } from '#platform/errors';
import { present } from '../shapes.ts';

/** Unit tests of detections as REST has them, on the way in and out, and what came of them. */

const mocks = z.array(z.record(z.string(), z.unknown()));

const eventTest = z.object({
  name: z.string(),
  expectedResult: z.boolean(),
  log: z.unknown().optional(),
  resource: z.string().nullish(),
  mocks: mocks.nullish(),
});

const moments = z.array(z.union([z.number(), z.string()]));
const correlationTest = z.object({
  name: z.string(),
  expectedResult: z.boolean(),
  ruleOutputs: z.array(
    z.object({ id: z.string(), matches: z.record(z.string(), z.record(z.string(), moments)).nullish() }),
  ),
});

/** Tests as a client sends them; those of correlation rules are about signals, all others about an event or resource. */
export const testsInput = { event: z.array(eventTest), correlation: z.array(correlationTest) };

export const testsShape = {
  event: z.array(
    z.object({
      name: z.string(),
      expectedResult: z.boolean(),
      log: z.unknown().optional(),
      resource: z.string().optional(),
      mocks: mocks.optional(),
    }),
  ),
  correlation: z.array(
    z.object({
      name: z.string(),
      expectedResult: z.boolean(),
      ruleOutputs: z.array(
        z.object({ id: z.string(), matches: z.record(z.string(), z.record(z.string(), moments)).optional() }),
      ),
    }),
  ),
};

function eventOf(test: z.output<typeof eventTest>): unknown {
  if (test.log !== undefined && test.log !== null) return test.log;
  try {
    return JSON.parse(test.resource ?? '{}');
  } catch {
    throw badInput('tests', `tests: the resource of "${test.name.slice(0, 200)}" is not JSON`);
  }
}

/** The same tests as a content file has them. */
export function specTests(type: ContentType, tests: unknown): readonly unknown[] {
  if (type === 'correlation_rule')
    return testsInput.correlation.parse(tests).map(({ name, expectedResult, ruleOutputs }) => ({
      Name: name,
      ExpectedResult: expectedResult,
      RuleOutputs: ruleOutputs.map(({ id, matches }) => ({ ID: id, ...present('Matches', matches) })),
    }));
  const key = type === 'policy' ? 'Resource' : 'Log';
  return testsInput.event.parse(tests).map((test) => ({
    Name: test.name,
    ExpectedResult: test.expectedResult,
    [key]: eventOf(test),
    ...(test.mocks && test.mocks.length > 0 ? { Mocks: test.mocks } : {}),
  }));
}

const named = { Name: z.string(), ExpectedResult: z.boolean() };
const storedEventTest = z.object({
  ...named,
  Log: z.unknown().optional(),
  Resource: z.unknown().optional(),
  Mocks: mocks.optional(),
});
const storedCorrelationTest = z.object({
  ...named,
  RuleOutputs: z.array(
    z.object({ ID: z.string(), Matches: z.record(z.string(), z.record(z.string(), moments)).optional() }),
  ),
});

/** Stored tests as REST shows them, with the event both as JSON and as text. */
export function shownTests(type: ContentType, stored: unknown): readonly unknown[] {
  if (type === 'correlation_rule')
    return (z.array(storedCorrelationTest).safeParse(stored).data ?? []).map((test) => ({
      name: test.Name,
      expectedResult: test.ExpectedResult,
      ruleOutputs: test.RuleOutputs.map(({ ID, Matches }) => ({ id: ID, ...present('matches', Matches) })),
    }));
  return (z.array(storedEventTest).safeParse(stored).data ?? []).map((test) => {
    const log = test.Log ?? test.Resource;
    return {
      name: test.Name,
      expectedResult: test.ExpectedResult,
      log,
      resource: JSON.stringify(log),
      ...present('mocks', test.Mocks),
    };
  });
}

const failure = z.object({ code: z.string(), message: z.string() });
const functionNames = {
  rule: 'detection',
  policy: 'detection',
  title: 'title',
  dedup: 'dedup',
  severity: 'severity',
  description: 'description',
  reference: 'reference',
  runbook: 'runbook',
  destinations: 'destinations',
  alert_context: 'alertContext',
} as const;

const eventResult = z.object({
  name: z.string(),
  passed: z.boolean(),
  errored: z.boolean(),
  triggerAlert: z.boolean().optional(),
  error: failure.optional(),
  functions: z
    .partialRecord(
      z.enum(Object.values(functionNames)),
      z.object({ output: z.string().optional(), error: failure.optional() }),
    )
    .optional(),
});
const correlationResult = z.object({ name: z.string(), passed: z.boolean(), error: z.string().optional() });

/** What came of the tests, in an answer that refuses to save. */
export const resultsShape = { event: z.array(eventResult), correlation: z.array(correlationResult) };

function functionsOf({ functions }: UnitTestResult) {
  const shown = Object.entries(functionNames).flatMap(([own, name]) => {
    const found = functions[own];
    if (found === undefined) return [];
    const error = found.error && { code: found.error.exception, message: found.error.message };
    return [[name, { ...present('output', found.output), ...present('error', error) }]];
  });
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}

/** Results of unit tests as REST tells them. */
export const shownResults = (type: ContentType, results: readonly UnitTestResult[]): readonly unknown[] =>
  results.map((result) =>
    type === 'correlation_rule'
      ? { name: result.name, passed: result.passed, ...present('error', result.error?.message) }
      : {
          name: result.name,
          passed: result.passed,
          errored: result.error !== null,
          ...present('triggerAlert', result.output),
          ...present('error', result.error && { code: result.error.exception, message: result.error.message }),
          ...present('functions', functionsOf(result)),
        },
  );
