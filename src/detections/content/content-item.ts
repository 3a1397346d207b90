import type { z } from 'zod';
import type { UnitTest } from '../sandbox/sandbox-contract.ts';
import { type CorrelationRuleSpec, correlationRuleSpec } from './types/correlation-rule.ts';
import { dataModelSpec, globalSpec, packSpec } from './types/library.ts';
import { lookupTableSpec } from './types/lookup-table.ts';
import { type PolicySpec, policySpec } from './types/policy.ts';
import { savedQuerySpec, scheduledQuerySpec } from './types/query.ts';
import {
  type DerivedRuleSpec,
  derivedRuleSpec,
  type RuleSpec,
  ruleSpec,
  type ScheduledRuleSpec,
  scheduledRuleSpec,
} from './types/rule.ts';
import { scheduledPromptSpec } from './types/scheduled-prompt.ts';
import { type ParsedYaml, parseYamlText } from './yaml.ts';

/** Content in the layout that detection repositories have: a YAML file, and beside it the Python it names. */

const specs = {
  rule: ruleSpec,
  scheduled_rule: scheduledRuleSpec,
  policy: policySpec,
  correlation_rule: correlationRuleSpec,
  global: globalSpec,
  datamodel: dataModelSpec,
  pack: packSpec,
  saved_query: savedQuerySpec,
  scheduled_query: scheduledQuerySpec,
  lookup_table: lookupTableSpec,
  scheduled_prompt: scheduledPromptSpec,
} as const;

export type AnalysisType = keyof typeof specs;
export const analysisTypes = Object.keys(specs) as readonly AnalysisType[];

export type DetectionSpec = z.output<(typeof specs)[AnalysisType]> | DerivedRuleSpec;
export type DetectionKind = Uppercase<AnalysisType>;

/** One piece of content: what its YAML says, and its Python, if it has any. */
export type ContentItem = {
  readonly id: string;
  readonly kind: DetectionKind;
  readonly isEnabled: boolean;
  readonly spec: DetectionSpec;
  readonly body: string;
  /** Where the Python was in the folder or archive that this comes from; absent in what is kept. */
  readonly bodyFile?: string;
  /** The YAML as its author wrote it; absent in what evaluation keeps. */
  readonly source?: string | undefined;
};

/** What is wrong with a piece of content, and where. */
export type ContentProblem = { readonly key: string; readonly message: string; readonly line?: number | undefined };

export const bodyBytesMax = 1_000_000;

const idKeys = ['RuleID', 'PolicyID', 'GlobalID', 'DataModelID', 'PackID', 'QueryName', 'LookupName', 'PromptName'];

/** The id of a specification, whatever key its type has it under. All types share one namespace. */
function idOf(spec: object): string {
  for (const [key, value] of Object.entries(spec)) if (idKeys.includes(key) && typeof value === 'string') return value;
  return '';
}

export const isDerived = (spec: DetectionSpec): spec is DerivedRuleSpec => 'BaseDetection' in spec;
/** A rule with logic of its own, on events. */
export const isRule = (spec: DetectionSpec): spec is RuleSpec => spec.AnalysisType === 'rule' && !isDerived(spec);
/** A rule whose logic is written in YAML. */
export const isSimple = (spec: DetectionSpec): spec is RuleSpec | ScheduledRuleSpec =>
  (isRule(spec) || spec.AnalysisType === 'scheduled_rule') && spec.Detection !== undefined;

/** What a person calls the type: derived and simple rules have names of their own. */
export function typeName(spec: DetectionSpec): AnalysisType | 'derived' | 'simple_detection' {
  if (isDerived(spec)) return 'derived';
  return isSimple(spec) ? 'simple_detection' : spec.AnalysisType;
}

/** A checked specification as an item. Globals, packs and kept queries are always on; a derived rule is unless it says. */
export function itemOf(spec: DetectionSpec, body: string, source?: string): ContentItem {
  const kind = spec.AnalysisType.toUpperCase() as DetectionKind;
  const isEnabled = 'Enabled' in spec ? (spec.Enabled ?? true) : true;
  return { id: idOf(spec), kind, isEnabled, spec, body, ...(source === undefined ? {} : { source }) };
}

export type ParsedSpec =
  | { readonly spec: DetectionSpec; readonly data: object }
  | { readonly problems: readonly ContentProblem[] };

type Options = {
  /** Keys that the type does not have are left out instead of refused. */
  readonly ignoreExtraKeys?: boolean;
};

/** Of the forms a value may have, the one whose first problem lies deepest is what the author meant. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.map(([first]) => first).filter((first) => first !== undefined);
  const best = inner.toSorted((a, b) => b.path.length - a.path.length)[0];
  return best === undefined ? issue : deepest({ ...best, path: [...issue.path, ...best.path] });
}

function problemsOf(error: z.ZodError, yaml: ParsedYaml): readonly ContentProblem[] {
  return error.issues.slice(0, 20).flatMap((found) => {
    const issue = deepest(found);
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
    const text =
      issue.code === 'unrecognized_keys'
        ? 'is not a key of this type'
        : isMissing
          ? 'is missing'
          : issue.message.replace('Invalid input: ', '');
    return paths.map((path) => ({ key: path.map(String).join('.'), message: text, line: yaml.lineOf(path) }));
  });
}

function withoutExtraKeys(data: object, error: z.ZodError): object {
  const extra = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
  );
  return Object.fromEntries(Object.entries(data).filter(([key]) => !extra.includes(key)));
}

function readSpec(data: object, yaml: ParsedYaml, options: Options): ParsedSpec {
  const type = 'AnalysisType' in data ? data.AnalysisType : undefined;
  if (typeof type !== 'string' || !Object.hasOwn(specs, type)) {
    const known = analysisTypes.join(', ');
    const shown = typeof type === 'string' ? `"${type}" is not one of ${known}` : `is missing; it is one of ${known}`;
    return { problems: [{ key: 'AnalysisType', message: shown, line: yaml.lineOf(['AnalysisType']) }] };
  }
  const base = 'BaseDetection' in data && data.BaseDetection ? derivedRuleSpec : undefined;
  const schema: z.ZodType<DetectionSpec> = base ?? specs[type as AnalysisType];
  const result = schema.safeParse(data);
  if (result.success) return { spec: result.data, data };
  const fewer = options.ignoreExtraKeys ? withoutExtraKeys(data, result.error) : data;
  if (Object.keys(fewer).length < Object.keys(data).length) return readSpec(fewer, yaml, {});
  return { problems: problemsOf(result.error, yaml) };
}

/** Parses one YAML text; problems name key, line and reason. */
export function parseSpec(text: string, options: Options = {}): ParsedSpec {
  let yaml: ParsedYaml;
  try {
    yaml = parseYamlText(text);
  } catch (error) {
    return { problems: [{ key: '', message: `is not YAML: ${error instanceof Error ? error.message : ''}` }] };
  }
  const { data } = yaml;
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return { problems: [{ key: '', message: 'must be a mapping with an AnalysisType' }] };
  return readSpec(data, yaml, options);
}

/** The unit tests of a detection in Python as the sandbox runs them. */
export function unitTests(spec: RuleSpec | ScheduledRuleSpec | PolicySpec): readonly UnitTest[] {
  return (spec.Tests ?? []).map((test) => ({
    name: test.Name,
    expectedResult: test.ExpectedResult,
    event: JSON.stringify('Resource' in test ? test.Resource : test.Log),
    mocks: test.Mocks ?? [],
  }));
}

export type { CorrelationRuleSpec, DerivedRuleSpec, PolicySpec, RuleSpec, ScheduledRuleSpec };
