import { expect, test } from 'vitest';
import { describeOutcome } from './test-report.ts';

const outcome = (result: object) => ({
  id: 'My.Rule',
  type: 'rule' as const,
  status: 'failed' as const,
  message: undefined,
  tests: [{ name: 'one', passed: false, output: null, error: null, functions: {}, ...result }],
});

test('an author reads which line raised, the innermost last', () => {
  const error = { exception: 'KeyError', message: "'b'", traceback: 'a.py, line 6, in rule\na.py, line 2, in helper' };
  expect(describeOutcome(outcome({ functions: { rule: { error } } }), 'rules/a.yml', false)).toEqual([
    '[FAIL] My.Rule rules/a.yml',
    '    [FAIL] one',
    "        rule: KeyError: 'b'\n          at a.py, line 6, in rule\n          at a.py, line 2, in helper",
  ]);
});

test('the place of a syntax error is said once, and an answer beside the expected one', () => {
  const error = { exception: 'SyntaxError', message: 'expected: a.py, line 3', traceback: 'a.py, line 3' };
  expect(describeOutcome(outcome({ error }), 'a.yml', false).at(-1)).toBe(
    '        SyntaxError: expected: a.py, line 3',
  );
  expect(describeOutcome(outcome({ output: false }), 'a.yml', false).at(-1)).toBe(
    '        returned false, the test expects true',
  );
});
