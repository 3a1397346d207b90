import { expect, test } from 'vitest';
import { longParts } from './python-size.ts';

const lines = (count: number, line: string) => `${line}\n`.repeat(count);

test('a Python file and a function at their limits pass', () => {
  expect(longParts('a.py', lines(400, 'x = 1'))).toEqual([]);
  expect(longParts('a.py', `def f(\n    a,\n):\n${lines(57, '    x = 1')}\n\ny = 2\n`)).toEqual([]);
});

test('one line more is named with its place', () => {
  expect(longParts('a.py', lines(401, 'x = 1'))).toEqual(['a.py has 401 lines, more than 400: split it by noun.']);
  expect(
    longParts('a.py', `class A:\n    def f(\n        a,\n    ):\n${lines(58, '        x = 1')}    y = 2\n`),
  ).toEqual(['a.py:2 f has 61 lines, more than 60.']);
});
