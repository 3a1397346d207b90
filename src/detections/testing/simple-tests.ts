import type { RuleSpec, ScheduledRuleSpec } from '../content/content-item.ts';
import type { FunctionOutcome, UnitTestResult } from '../sandbox/sandbox-contract.ts';
import { compileSimpleRule, type SimpleRule } from '../simple/simple-rule.ts';

function outcomes(rule: SimpleRule, event: unknown, output: boolean): Readonly<Record<string, FunctionOutcome>> {
  const text = (value: string | undefined): FunctionOutcome | undefined =>
    value === undefined ? undefined : { output: value };
  const found = {
    rule: { output: String(output) },
    title: text(rule.title(event)),
    dedup: text(rule.dedup(event)),
    severity: text(rule.severity(event)),
    alert_context: text(rule.context(event)),
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Runs the tests of a rule without Python. Throws SimpleError when it does not compile. */
export function runSimpleTests(spec: RuleSpec | ScheduledRuleSpec): readonly UnitTestResult[] {
  const rule = compileSimpleRule(spec);
  return (spec.Tests ?? []).map((test) => {
    const output = rule.matches(test.Log);
    return {
      name: test.Name,
      passed: output === test.ExpectedResult,
      output,
      error: null,
      functions: outcomes(rule, test.Log, output),
    };
  });
}
