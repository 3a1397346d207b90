import { describe, expect, test } from 'vitest';
import { checkContent, checkPacks } from './check-content.ts';
import { type ContentItem, itemOf, parseSpec } from './content-item.ts';
import { resolveDerived } from './derived.ts';
import { parseFilters, passesFilters } from './filters.ts';

const rule = (more = '') =>
  `AnalysisType: rule\nRuleID: A.B\nEnabled: true\nFilename: a.py\nLogTypes: [X]\nSeverity: High\n${more}`;
const problems = (text: string) => {
  const parsed = parseSpec(text);
  return 'problems' in parsed
    ? parsed.problems.map(({ key, line, message }) => `${line ?? ''} ${key}: ${message}`)
    : [];
};
const item = (text: string, body = ''): ContentItem => {
  const parsed = parseSpec(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return itemOf(parsed.spec, body);
};

describe('a specification', () => {
  test('is YAML 1.2: yes is a text, dates stay texts, digits may be grouped', () => {
    const { spec } = item(rule('Description: yes\nReference: 2020-01-01\nThreshold: 1_000\n'));
    expect(spec).toMatchObject({ Description: 'yes', Reference: '2020-01-01', Threshold: 1000 });
  });
  test('gets the defaults and limits of its type', () => {
    expect(item(rule()).spec).toMatchObject({
      DedupPeriodMinutes: 60,
      Threshold: 1,
      CreateAlert: true,
      Severity: 'HIGH',
    });
    expect(item(rule('DedupPeriodMinutes: 3\n')).spec).toMatchObject({ DedupPeriodMinutes: 5 });
    expect(item(rule('DedupPeriodMinutes: 0\n')).spec).toMatchObject({ DedupPeriodMinutes: 60 });
  });
  test.each([
    ['an unknown key', rule('Color: red\n'), '7 Color: is not a key of this type'],
    ['a wrong severity', rule().replace('High', 'high'), '6 Severity: must be Info, Low, Medium, High or Critical'],
    ['no log type', rule().replace('LogTypes: [X]\n', ''), '1 LogTypes: is missing'],
    ['a tag twice', rule('Tags: [a, A]\n'), '7 Tags: has a tag twice that differs only by case'],
    ['an id with markup', rule().replace('A.B', '"a<b"'), '2 RuleID: must not contain < > & " or %'],
    ['both kinds of logic', rule('Detection: []\n'), '4 Filename: needs exactly one of Filename and Detection'],
    [
      'a wrong type inside',
      rule('Tests: [{Name: x, ExpectedResult: 1, Log: {}}]\n'),
      '7 Tests.0.ExpectedResult: expected boolean, received number',
    ],
    ['a type that does not exist', 'AnalysisType: poem\n', '1 AnalysisType: "poem" is not one of'],
    ['no mapping', '- a\n', 'must be a mapping with an AnalysisType'],
  ])('%s is named with its line', (_name, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });
  test('broken YAML is shown with the place', () => {
    expect(problems('AnalysisType: rule\nRuleID: [a\n')[0]).toMatch(/is not YAML: .*line 3/s);
  });
  test('a YAML bomb and endless nesting are refused quickly', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(',')}]`)
      .join('\n')}\nAnalysisType: rule\n`;
    const startedAt = performance.now();
    expect(problems(bomb)[0]).toContain('is not YAML');
    expect(problems(`AnalysisType: rule\nLog: ${'['.repeat(50_000)}`)[0]).toContain('nested deeper');
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
  test('keys of other types can be passed over when told to', () => {
    const parsed = parseSpec(rule('Color: red\n'), { ignoreExtraKeys: true });
    expect('spec' in parsed).toBe(true);
  });
});

describe('every other type', () => {
  test.each([
    'AnalysisType: scheduled_rule\nRuleID: S\nEnabled: true\nFilename: a.py\nScheduledQueries: [Q]\nSeverity: Low\n',
    'AnalysisType: policy\nPolicyID: P\nEnabled: true\nFilename: a.py\nSeverity: Low\nResourceTypes: [AWS.S3.Bucket]\n',
    'AnalysisType: correlation_rule\nRuleID: C\nEnabled: true\nSeverity: Low\nDetection: [{Group: [{RuleID: A}], Schedule: {RateMinutes: 15, TimeoutMinutes: 5}}]\n',
    'AnalysisType: global\nGlobalID: helpers\nFilename: a.py\n',
    'AnalysisType: datamodel\nDataModelID: D\nEnabled: true\nLogTypes: [X]\nMappings: [{Name: a, Path: b}]\n',
    'AnalysisType: pack\nPackID: P\nPackDefinition: {IDs: [A]}\n',
    'AnalysisType: saved_query\nQueryName: Q\nQuery: select 1\n',
    'AnalysisType: scheduled_query\nQueryName: Q\nQuery: select 1\nEnabled: true\nSchedule: {CronExpression: "0 * * * *", TimeoutMinutes: 2}\n',
    'AnalysisType: lookup_table\nLookupName: L\nEnabled: true\nSchema: Custom.A\nFilename: l.csv\nLogTypeMap: {PrimaryKey: id}\n',
    'AnalysisType: scheduled_prompt\nPromptName: p_1\nDisplayName: P\nPromptText: what\nRunAsUser: me\nSchedule: {RateMinutes: 60, TimeoutMinutes: 5}\n',
    'AnalysisType: rule\nRuleID: D\nBaseDetection: A.B\nSeverity: Low\n',
  ])('is read: %#', (text) => {
    expect(problems(text)).toEqual([]);
  });
  test.each([
    [
      'AnalysisType: policy\nPolicyID: P\nEnabled: true\nFilename: a.py\nSeverity: Low\nResourceTypes: [AWS.Toaster]\n',
      '"AWS.Toaster" is not a resource type',
    ],
    [
      'AnalysisType: scheduled_query\nQueryName: Q\nQuery: x\nEnabled: true\nSchedule: {RateMinutes: 1, TimeoutMinutes: 1}\n',
      'RateMinutes must be greater than 1',
    ],
    [
      'AnalysisType: correlation_rule\nRuleID: C\nEnabled: true\nSeverity: Low\nDetection: [{Schedule: {RateMinutes: 15, TimeoutMinutes: 5}}]\n',
      'SD00200005',
    ],
    ['AnalysisType: rule\nRuleID: D\nBaseDetection: A.B\nLogTypes: [X]\n', 'LogTypes: is not a key of this type'],
    [
      'AnalysisType: lookup_table\nLookupName: L\nEnabled: true\nSchema: C\nLogTypeMap: {PrimaryKey: id}\n',
      'needs exactly one of Filename and Refresh',
    ],
  ])('is refused: %#', (text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });
});

describe('content together', () => {
  const model = (id: string) =>
    item(`AnalysisType: datamodel\nDataModelID: ${id}\nEnabled: true\nLogTypes: [X]\nMappings: [{Name: a, Path: b}]\n`);
  test('has one namespace of ids, one data model a log type, and bases that exist', () => {
    const saved = item('AnalysisType: saved_query\nQueryName: A.B\nQuery: x\n');
    const derived = item('AnalysisType: rule\nRuleID: D\nBaseDetection: Nope\n');
    const found = checkContent([item(rule()), saved, model('M'), model('N'), derived]).map(({ message }) => message);
    expect(found).toEqual([
      'Conflicting AnalysisID: [A.B]',
      'the rule "Nope" does not exist',
      'Conflicting Enabled LogType [X] in Data Model [N]',
    ]);
  });
  test('packs name what is there', () => {
    const pack = item('AnalysisType: pack\nPackID: P\nPackDefinition: {IDs: [A.B, Nope]}\n');
    expect(checkPacks([pack], new Set(['A.B']))[0]?.message).toBe(
      'pack (P) definition includes item(s) that do not exist (Nope)',
    );
  });
  test('a derived rule replaces what it names, keeps the logic, and runs though its base is off', () => {
    const base = item(
      rule('Tags: [a, b]\nThreshold: 5\n').replace('Enabled: true', 'Enabled: false'),
      'def rule(e): ...',
    );
    const derived = item('AnalysisType: rule\nRuleID: D\nBaseDetection: A.B\nTags: [c]\nSeverity: Low\n');
    const found = resolveDerived([base, derived])[1];
    expect(found).toMatchObject({ id: 'D', isEnabled: true, body: 'def rule(e): ...' });
    expect(found?.spec).toMatchObject({ RuleID: 'D', Tags: ['c'], Threshold: 5, Severity: 'LOW', LogTypes: ['X'] });
  });
});

test('filters are alternatives inside and conditions together', () => {
  const one = item(rule('Tags: [Cloud]\n'));
  const passes = (...texts: string[]) => passesFilters(one, parseFilters(texts));
  expect(passes('Severity=low,high', 'Tags=cloud')).toBe(true);
  expect(passes('Severity!=high')).toBe(false);
  expect(passes('Enabled=false')).toBe(false);
  expect(() => parseFilters(['Colour=red'])).toThrow('"Colour" is no key to filter by');
});
