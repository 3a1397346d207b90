import { expect, test } from 'vitest';
import { csvLine, tableLines } from './query-output.ts';

test('a table aligns its columns, cuts long cells and lets no event steer the terminal', () => {
  const rows = [
    { who: 'ann', n: 1 },
    { who: '\u001b[2Jbob\n', n: null },
    { who: 'x'.repeat(100), n: { a: 1 } },
  ];
  const lines = tableLines(['who', 'n'], rows);
  expect(lines[0]).toBe(`who${' '.repeat(59)}n`);
  expect(lines[2]).toBe(`ann${' '.repeat(59)}1`);
  expect(lines[3]).toContain(' [2Jbob');
  expect(lines[3]).not.toMatch(/\p{Cc}/u);
  expect(lines[4]).toContain('…');
  expect(lines[4]).toContain('{"a":1}');
});

test('CSV quotes what needs it and runs no formula', () => {
  expect(csvLine(['a,b', 'c"d', null, 5, -3, '=cmd()', '-x', { k: [1] }])).toBe(
    `"a,b","c""d",,5,-3,'=cmd(),'-x,"{""k"":[1]}"`,
  );
});
