import { afterAll, describe, expect, test, vi } from 'vitest';
import { createSandboxPool } from '#detections';
import { parseSpec, type RuleSpec } from '../../../src/detections/content/content-item.ts';
import type { MatchExpression } from '../../../src/detections/content/types/match-expression.ts';
import { compileDetection, compileFilters } from '../../../src/detections/simple/compile.ts';
import { conditions } from '../../../src/detections/simple/conditions.ts';
import { compileSimpleRule } from '../../../src/detections/simple/simple-rule.ts';
import { transpileFilters } from '../../../src/detections/simple/transpile/transpile-filters.ts';
import { transpileToPython } from '../../../src/detections/simple/transpile/transpile-python.ts';
import { openWalls } from '../../support/sandboxes.ts';

vi.setConfig({ testTimeout: 240_000 });
const pool = createSandboxPool({ ...(await openWalls()), limits: { ruleTimeoutMs: 30_000, loadTimeoutMs: 60_000 } });
afterAll(() => pool.close());

function ruleOf(more: string): RuleSpec {
  const parsed = parseSpec(`AnalysisType: rule\nRuleID: R\nEnabled: true\nSeverity: Low\nLogTypes: [T]\n${more}`);
  if (!('spec' in parsed) || !('LogTypes' in parsed.spec)) throw new Error(JSON.stringify(parsed));
  return parsed.spec as RuleSpec;
}

/** Outputs of every function of the module, by event. */
async function run(body: string, events: readonly unknown[]) {
  const content = {
    revision: String(body.length),
    globals: [],
    dataModels: [],
    rules: [{ id: 'R', body, logTypes: ['T'], severity: 'LOW' as const }],
  };
  const tests = events.map((event, index) => ({
    name: String(index),
    expectedResult: true,
    event: JSON.stringify(event),
    mocks: [],
  }));
  const results = await pool.test({ tenantId: crypto.randomUUID(), content, ruleId: 'R', tests });
  return results.map(({ output, functions, error }) => ({ output, functions, error }));
}

const wanted: Readonly<Record<string, readonly object[]>> = {
  nothing: [{}],
  any: [{ Value: 'Ab' }, { Value: 1 }, { Value: 1.5 }, { Value: true }, { Value: '' }],
  string: [{ Value: 'Ab' }, { Value: 'b' }],
  number: [{ Value: 1 }, { Value: 1.5 }],
  list: [{ Values: ['Ab', 'cd'] }, { Values: [1, 2] }, { Values: [true] }],
  cidr: [{ Value: '10.0.0.0/8' }, { Value: '2001:db8::/32' }, { Value: '192.0.2.1' }],
  expressions: [{ Expressions: [{ Key: 'x', Condition: 'Equals', Value: 1 }] }],
};
const keys = [
  { Key: 'a' },
  { DeepKey: ['o', 'In', 1] },
  { KeyPath: 'o.list[*].x' },
  { KeyPath: 'l[-1]' },
  { Enrichment: { Table: 't', Selector: 's', FieldPath: 'x' } },
];

/** Every condition with everything it may stand with. */
const expressions: readonly MatchExpression[] = [
  ...[...conditions.values()].flatMap(({ name, needs, group }): MatchExpression[] => {
    if (group === 'absolute') return [{ Condition: name }];
    return keys.flatMap((key) => (wanted[needs] ?? []).map((value) => ({ ...key, ...value, Condition: name })));
  }),
  { Condition: 'Equals', Values: [{ Key: 'a' }, { Key: 'b' }] },
  { Condition: 'IsGreaterThan', Values: [{ Key: 'a' }, { KeyPath: 'l[0]' }] },
  ...(['All', 'Any', 'OnlyOne', 'None'] as const).map((name) => ({
    [name]: [
      { Key: 'a', Condition: 'Exists' },
      { Key: 'b', Condition: 'IsNull' },
    ],
  })),
];

const values = [null, 'ab', 'Ab', 'xAbx', '', 1, 1.5, 0, true, false, [], {}, ['Ab', 1], [true], { x: 1 }, '10.1.2.3'];
const addresses = [
  '8.8.8.8',
  '::ffff:10.1.2.3',
  '2001:db8::1',
  '2606:4700::1',
  '127.0.0.1',
  '224.0.0.1',
  '10.0.0',
  '100.64.0.1',
];
const events = [
  {},
  ...[...values, ...addresses].map((value) => ({
    a: value,
    b: 'Ab',
    o: { in: [0, value], list: [{ x: value }, { X: 1 }, {}] },
    l: [1, value],
  })),
  ...[{ x: 'Ab' }, [{ x: 1 }, { x: 'zz' }], 'no row'].map((row) => ({ A: 1, p_enrichment: { t: { s: row } } })),
];

test('Python that was made of match expressions answers as they do, for every condition and kind of value', async () => {
  const body = transpileToPython(ruleOf('Detection: [{Condition: AlwaysTrue}]\n'));
  const all = JSON.stringify(JSON.stringify(expressions));
  const answers = `\n\ndef alert_context(event):\n    return {"all": [every([item], event) for item in json.loads(${all})]}\n`;
  const results = await run(body + answers, events);
  for (const [index, event] of events.entries()) {
    const { functions, error } = results[index] ?? {};
    expect(error).toBeNull();
    const said = (JSON.parse(functions?.['alert_context']?.output ?? '{}') as { readonly all: readonly boolean[] }).all;
    const differing = expressions.filter((item, place) => compileDetection([item])(event) !== said[place]);
    expect({ event, differing }).toEqual({ event, differing: [] });
  }
});

test('title, dedup, severity and context of the Python are those of the YAML', async () => {
  const spec = ruleOf(`Detection: [{Key: user, Condition: Exists}]
AlertTitle: "{user} did \\"it\\" {o.n} times {gone}\\\\ é"
GroupBy: [{Key: user}, {KeyPath: o.n}]
DynamicSeverities: [{ChangeTo: High, Conditions: [{Key: user, Condition: Equals, Value: root}]}]
AlertContext: [{KeyName: who, KeyValue: {Key: user}}, {KeyName: gone, KeyValue: {Key: gone}}, {KeyName: o, KeyValue: {Key: o}}]
`);
  const samples = [
    { user: 'root', o: { n: 3 } },
    { user: 'é'.repeat(2000), o: { n: [1, { a: null }] } },
  ];
  const rule = compileSimpleRule(spec);
  const results = await run(transpileToPython(spec), samples);
  for (const [index, event] of samples.entries()) {
    const { functions = {}, output } = results[index] ?? {};
    expect(output).toBe(true);
    expect(functions['title']?.output).toBe(rule.title(event));
    expect(functions['dedup']?.output).toBe(rule.dedup(event));
    expect(functions['severity']?.output?.toUpperCase()).toBe(String(rule.severity(event)).toUpperCase());
    expect(JSON.parse(functions['alert_context']?.output ?? '')).toEqual(JSON.parse(rule.context(event)));
  }
});

describe('filters in the form of command lines', () => {
  test('an absent field passes, names that paths do not read are quoted, and combinations nest', () => {
    const text = transpileFilters([
      { KeyPath: 'a.b-c[0].d', Condition: 'Equals', Value: 'x' },
      {
        Any: [
          { KeyPath: 'n', Condition: 'IsIn', Values: [1, 2] },
          { KeyPath: 'n', Condition: 'IsNull' },
        ],
      },
    ]);
    const target = 'a."b-c"[0].d';
    expect(JSON.parse(text)).toEqual({
      statement: {
        and: [
          {
            or: [
              { target, operator: '==', value: null },
              { target, operator: '==', value: 'x' },
            ],
          },
          {
            or: [
              {
                or: [
                  { target: 'n', operator: '==', value: null },
                  { target: 'n', operator: 'in', value: [1, 2] },
                ],
              },
              {
                or: [
                  { target: 'n', operator: '==', value: null },
                  { target: 'n', operator: '==', value: null },
                ],
              },
            ],
          },
        ],
      },
    });
  });

  test('what is no filter is refused as on saving', () => {
    expect(() => transpileFilters([{ Key: 'a', Condition: 'Equals', Value: 1 }])).toThrow(/SD00200013/);
    expect(() => compileFilters([{ Key: 'a', Condition: 'Equals', Value: 1 }])).toThrow(/SD00200013/);
  });
});
