import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { withEnrichment } from './test-data.ts';

const value = { tor_exit_nodes: { sourceIP: { exit: 'yes', p_match: '1.2.3.4', tags: ['a', 'b'] } } };
const head = '# a rule\nAnalysisType: rule   # trailing\nTests:\n';

const after = (text: string, changed: readonly number[] = [0]) =>
  withEnrichment(text, new Map(changed.map((number) => [number, value])));
/** Every line of the text, in order, is still there. */
const keepsLines = (before: string, now: string) => {
  const lines = now.split('\n');
  let at = 0;
  for (const line of before.split('\n')) {
    const found = lines.indexOf(line, at);
    expect([line, found]).not.toEqual([line, -1]);
    at = found + 1;
  }
};

describe('enrichment is put into an event and nothing else changes', () => {
  test('written as a block, with comments, odd spaces and quotes', () => {
    const text = `${head}  -   Name: 'one'\n      Log:\n        # what came\n        sourceIP:   "1.2.3.4"  # who\n\n        when: 2024-01-01 00:00:00\n  - Name: two\n    Log: { a: 1 }\n`;
    const now = after(text);
    keepsLines(text.replace('        sourceIP', '        sourceIP'), now);
    expect(parse(now)).toMatchObject({
      Tests: [{ Log: { p_enrichment: value, sourceIP: '1.2.3.4' } }, { Log: { a: 1 } }],
    });
  });

  test('written on one line, as JSON over many, or empty', () => {
    const text = `${head}  - Name: one\n    Log: {a: 1}   # short\n  - Name: two\n    Log:\n      {\n        "b": 2,\n      }\n  - Name: three\n    Log: {}\n`;
    const now = after(text, [0, 1, 2]);
    expect(now).toContain('# short');
    expect(parse(now)).toMatchObject({
      Tests: [
        { Log: { a: 1, p_enrichment: value } },
        { Log: { b: 2, p_enrichment: value } },
        { Log: { p_enrichment: value } },
      ],
    });
  });

  test('replaces what an earlier run put there, and a second run changes nothing', () => {
    const text = `${head}  - Name: one\n    Log:\n      a: 1\n      p_enrichment:\n        old: {x: 1}\n      b: 2\n\n# end\n`;
    const now = after(text);
    expect(parse(now)).toMatchObject({ Tests: [{ Log: { a: 1, p_enrichment: value, b: 2 } }] });
    expect(now).not.toContain('old');
    expect(now.endsWith('      b: 2\n\n# end\n')).toBe(true);
    expect(after(now)).toBe(now);
    const last = `${head}  - Name: one\n    Log:\n      a: 1\n      p_enrichment: {}\n`;
    expect(after(after(last))).toBe(after(last));
  });

  test('an alias is not edited, the event it stands for is', () => {
    const text = `${head}  - Name: one\n    Log: &event\n      a: 1\n  - Name: two\n    Log: *event\n`;
    expect(() => after(text, [1])).toThrow(/test 2 is not written as a mapping/);
    const [one, two] = (parse(after(text, [0])) as { Tests: { Log: unknown }[] }).Tests;
    expect([one?.Log, two?.Log]).toEqual([
      { a: 1, p_enrichment: value },
      { a: 1, p_enrichment: value },
    ]);
  });
});
