import type { CorrelationRuleSpec } from '../content/content-item.ts';
import type { CorrelationTest } from '../content/types/correlation-rule.ts';
import { correlate } from './correlate.ts';
import { minuteMs, type Signal } from './signal.ts';

export type CorrelationTestResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly error: string | undefined;
};

/** Whole numbers are minutes from an arbitrary start, texts are moments. Throws for what is neither. */
function timeOf(moment: number | string): number {
  const number = Number(moment);
  if (Number.isFinite(number)) return number * minuteMs;
  const parsed = Date.parse(String(moment));
  if (Number.isNaN(parsed)) throw new Error(`"${moment}" is neither a number of minutes nor a moment of RFC 3339`);
  return parsed;
}

/** Signals as the test writes them down: member, field, value, times. */
function signalsOf({ RuleOutputs }: CorrelationTest): readonly Signal[] {
  return RuleOutputs.flatMap(({ ID, Matches }) =>
    Object.entries(Matches ?? {}).flatMap(([field, byValue]) =>
      Object.entries(byValue).flatMap(([value, times]) =>
        times.map((time) => ({ member: ID, atMs: timeOf(time), values: new Map([[field, [value]]]) })),
      ),
    ),
  );
}

/** Runs the tests of a correlation rule; no store and no Python takes part. */
export function runCorrelationTests(spec: CorrelationRuleSpec): readonly CorrelationTestResult[] {
  const [detection] = spec.Detection;
  return (spec.Tests ?? []).map((test) => {
    try {
      if (detection === undefined) throw new Error('the rule has no Detection');
      const hasMatch = correlate(detection, signalsOf(test)).length > 0;
      const passed = hasMatch === test.ExpectedResult;
      const error = passed
        ? undefined
        : `expected ${test.ExpectedResult ? 'a match' : 'no match'}, found ${hasMatch ? 'one' : 'none'}`;
      return { name: test.Name, passed, error };
    } catch (error) {
      return { name: test.Name, passed: false, error: error instanceof Error ? error.message : 'failed' };
    }
  });
}
