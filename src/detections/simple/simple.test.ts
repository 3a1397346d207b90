import { describe, expect, test } from 'vitest';
import type { MatchExpression } from '../content/types/match-expression.ts';
import { compileDetection, compileFilters } from './compile.ts';
import { conditions } from './conditions.ts';
import { SimpleError } from './simple-error.ts';
import { compileSimpleRule } from './simple-rule.ts';

const event = {
  name: 'Alice',
  count: 5,
  ok: true,
  empty: '',
  none: null,
  ip: '10.1.2.3',
  outside: '8.8.8.8',
  tags: ['a', 'B'],
  deep: {
    list: [
      { n: 'x', v: 1 },
      { n: 'y', v: 2 },
    ],
    Owner: 'Alice',
  },
  p_enrichment: { tor: { ip: [{ exit: 'yes' }, { exit: 'no' }], single: { exit: 'yes' } } },
};
const run = (...expressions: MatchExpression[]) => compileDetection(expressions)(event);
const codeOf = (compile: () => unknown): string => {
  try {
    compile();
  } catch (error) {
    if (error instanceof SimpleError) return error.code;
  }
  return 'none';
};

describe('conditions', () => {
  test.each<[string, MatchExpression, boolean]>([
    ['Equals a text', { Key: 'name', Condition: 'Equals', Value: 'Alice' }, true],
    ['Equals minds case', { Key: 'name', Condition: 'Equals', Value: 'alice' }, false],
    ['IEquals does not', { Key: 'name', Condition: 'IEquals', Value: 'ALICE' }, true],
    ['Equals minds type', { Key: 'count', Condition: 'Equals', Value: '5' }, false],
    ['keys ignore case', { Key: 'NAME', Condition: 'Equals', Value: 'Alice' }, true],
    ['DoesNotEqual on a missing key', { Key: 'absent', Condition: 'DoesNotEqual', Value: 'x' }, true],
    ['Equals on a missing key', { Key: 'absent', Condition: 'Equals', Value: 'x' }, false],
    ['Contains', { Key: 'name', Condition: 'Contains', Value: 'lic' }, true],
    ['IContains', { Key: 'name', Condition: 'IContains', Value: 'LIC' }, true],
    ['StartsWith', { Key: 'name', Condition: 'StartsWith', Value: 'Al' }, true],
    ['DoesNotEndWith', { Key: 'name', Condition: 'DoesNotEndWith', Value: 'ce' }, false],
    ['DoesNotContain on a missing key', { Key: 'absent', Condition: 'DoesNotContain', Value: 'x' }, true],
    ['Has', { Key: 'tags', Condition: 'Has', Value: 'a' }, true],
    ['DoesNotHave', { Key: 'tags', Condition: 'DoesNotHave', Value: 'z' }, true],
    ['IsIn', { Key: 'name', Condition: 'IsIn', Values: ['Bob', 'Alice'] }, true],
    ['IsNotIn on a missing key', { Key: 'absent', Condition: 'IsNotIn', Values: ['x'] }, true],
    ['IsGreaterThan', { Key: 'count', Condition: 'IsGreaterThan', Value: 4 }, true],
    ['IsGreaterThan on a text', { Key: 'name', Condition: 'IsGreaterThan', Value: 4 }, false],
    ['IsLessThanOrEquals', { Key: 'count', Condition: 'IsLessThanOrEquals', Value: 5 }, true],
    ['IsLessThanOrEqual', { Key: 'count', Condition: 'IsLessThanOrEqual', Value: 4 }, false],
    ['Exists counts null', { Key: 'none', Condition: 'Exists' }, true],
    ['DoesNotExist', { Key: 'absent', Condition: 'DoesNotExist' }, true],
    ['IsNull', { Key: 'none', Condition: 'IsNull' }, true],
    ['IsNullOrEmpty', { Key: 'empty', Condition: 'IsNullOrEmpty' }, true],
    ['IsNotNullOrEmpty', { Key: 'tags', Condition: 'IsNotNullOrEmpty' }, true],
    ['IsIPAddressPrivate', { Key: 'ip', Condition: 'IsIPAddressPrivate' }, true],
    ['IsIPAddressPublic', { Key: 'outside', Condition: 'IsIPAddressPublic' }, true],
    ['IsIPv6Address', { Key: 'ip', Condition: 'IsIPv6Address' }, false],
    ['IsIPAddressInCIDR', { Key: 'ip', Condition: 'IsIPAddressInCIDR', Value: '10.0.0.0/8' }, true],
    ['IsIPAddressNotInCIDR', { Key: 'ip', Condition: 'IsIPAddressNotInCIDR', Value: '192.168.0.0/16' }, true],
    ['DeepKey', { DeepKey: ['deep', 'list', 1, 'n'], Condition: 'Equals', Value: 'y' }, true],
    ['KeyPath with an index', { KeyPath: 'deep.list[0].n', Condition: 'Equals', Value: 'x' }, true],
    ['KeyPath over all elements', { KeyPath: 'deep.list[*].n', Condition: 'Equals', Value: 'y' }, true],
    ['negated KeyPath over all elements', { KeyPath: 'deep.list[*].n', Condition: 'DoesNotEqual', Value: 'y' }, false],
    ['two keys', { Condition: 'Equals', Values: [{ Key: 'name' }, { KeyPath: 'deep.owner' }] }, true],
    ['AlwaysTrue', { Condition: 'AlwaysTrue' }, true],
    ['AlwaysFalse', { Condition: 'AlwaysFalse' }, false],
    [
      'enrichment with several rows',
      { Enrichment: { Table: 'tor', Selector: 'ip', FieldPath: 'exit' }, Condition: 'Equals', Value: 'no' },
      true,
    ],
    [
      'enrichment with one row',
      { Enrichment: { Table: 'tor', Selector: 'single', FieldPath: 'exit' }, Condition: 'Equals', Value: 'no' },
      false,
    ],
  ])('%s', (_name, expression, expected) => {
    expect(run(expression)).toBe(expected);
  });

  test('combinators nest', () => {
    const yes: MatchExpression = { Condition: 'AlwaysTrue' };
    const no: MatchExpression = { Condition: 'AlwaysFalse' };
    expect(run({ Any: [no, { All: [yes, yes] }] })).toBe(true);
    expect(run({ OnlyOne: [yes, yes] })).toBe(false);
    expect(run({ OnlyOne: [yes, no] })).toBe(true);
    expect(run({ None: [no, no] })).toBe(true);
    expect(run({ All: [] }, { Any: [] })).toBe(false);
  });

  test('elements are tested with all their expressions at once', () => {
    const both = (n: string, v: number): MatchExpression[] => [
      { Key: 'n', Condition: 'Equals', Value: n },
      { Key: 'v', Condition: 'Equals', Value: v },
    ];
    const over = (Condition: string, Expressions: MatchExpression[], KeyPath = 'deep.list') =>
      run({ KeyPath, Condition, Expressions });
    expect(over('AnyElement', both('x', 1))).toBe(true);
    expect(over('NoElement', both('x', 2))).toBe(true);
    expect(over('NoElement', both('x', 1))).toBe(false);
    expect(over('OnlyOneElement', both('y', 2))).toBe(true);
    expect(over('AllElements', both('x', 1))).toBe(false);
    expect(over('AllElements', both('x', 1), 'absent')).toBe(true);
    expect(over('AnyElement', both('x', 1), 'absent')).toBe(false);
  });
});

test('every condition refuses a value of the wrong kind with its code', () => {
  const wrong = (expression: MatchExpression) => codeOf(() => compileDetection([expression]));
  expect(codeOf(() => compileDetection([]))).toBe('SD00100001');
  expect(wrong({ Key: 'a', Condition: 'IsGreaterThan', Value: 'x' })).toBe('SD00100003');
  expect(wrong({ Key: 'a', Condition: 'Contains', Value: 5 })).toBe('SD00100007');
  expect(wrong({ Key: 'a', KeyPath: 'b', Condition: 'Exists' })).toBe('SD00200003');
  expect(wrong({ Condition: 'Equals', Value: 1 })).toBe('SD00200003');
  expect(wrong({ Key: 'a', Condition: 'Exists', Value: 1 })).toBe('SD00200004');
  expect(wrong({ Key: 'a', Condition: 'Equals' })).toBe('SD00200005');
  expect(wrong({ Key: 'a', Condition: 'IsIn', Value: 1 })).toBe('SD00200006');
  expect(wrong({ Condition: 'Equals', Values: [{ Key: 'a' }] })).toBe('SD00200007');
  expect(wrong({ Key: 'a', Condition: 'AnyElement' })).toBe('SD00200009');
  expect(wrong({ Key: 'a', Condition: 'AlwaysTrue' })).toBe('SD00200010');
  expect(wrong({ All: [], Any: [] })).toBe('SD00200011');
  expect(wrong({ Key: 'a', Condition: 'Resembles', Value: 1 })).toBe('SD00200012');
  expect(wrong({ KeyPath: 'a..b', Condition: 'Exists' })).toBe('SD00200003');
  expect(wrong({ Key: 'a', Condition: 'IsIPAddressInCIDR', Value: '10.0.0.0/99' })).toBe('SD00100003');
});

describe('filters', () => {
  const passes = (expression: MatchExpression) => compileFilters([expression])(event);

  test('let pass what lacks the field, and judge null', () => {
    expect(passes({ KeyPath: 'absent', Condition: 'Equals', Value: 'x' })).toBe(true);
    expect(passes({ KeyPath: 'none', Condition: 'Equals', Value: 'x' })).toBe(false);
    expect(passes({ KeyPath: 'none', Condition: 'DoesNotEqual', Value: 'x' })).toBe(true);
    expect(passes({ All: [] })).toBe(true);
  });

  test('refuse forms that belong to detections', () => {
    const refused = (expression: MatchExpression) => codeOf(() => compileFilters([expression]));
    expect(refused({ Key: 'a', Condition: 'Exists' })).toBe('SD00200013');
    expect(refused({ OnlyOne: [] })).toBe('SD00200013');
    expect(refused({ Condition: 'AlwaysTrue' })).toBe('SD00200013');
  });
});

test('an alert takes title, group, severity and context from the event', () => {
  const rule = compileSimpleRule({
    AnalysisType: 'rule',
    RuleID: 'A',
    Enabled: true,
    LogTypes: ['X'],
    Severity: 'LOW',
    DedupPeriodMinutes: 60,
    Threshold: 1,
    CreateAlert: true,
    Detection: [{ Condition: 'AlwaysTrue' }],
    AlertTitle: '{name} did {deep.list[1].n} {absent}!',
    GroupBy: [{ Key: 'name' }, { Key: 'count' }],
    DynamicSeverities: [
      { ChangeTo: 'HIGH', Conditions: [{ Key: 'count', Condition: 'IsGreaterThan', Value: 10 }] },
      { ChangeTo: 'MEDIUM', Conditions: [{ Key: 'count', Condition: 'IsGreaterThan', Value: 1 }] },
    ],
    AlertContext: [{ KeyName: 'who', KeyValue: { Key: 'name' } }],
  });
  expect(rule.title(event)).toBe('Alice did y !');
  expect(rule.dedup(event)).toBe('Alice:5');
  expect(rule.severity(event)).toBe('MEDIUM');
  expect(JSON.parse(rule.context(event))).toEqual({ who: 'Alice' });
});

test('each condition says what it needs', () => {
  expect(conditions.get('IsIPAddressInCIDR')).toMatchObject({ group: 'ip', needs: 'cidr', isNegated: false });
  expect(conditions.size).toBeGreaterThan(40);
});
