import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { UnitTest } from '../sandbox/sandbox-contract.ts';

/** Content in the layout that detection repositories have: a YAML file, and beside it the Python it names. */

const severity = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(
    z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'], { error: 'must be Info, Low, Medium, High or Critical' }),
  );
const id = z.string().min(1, 'is empty').max(200);
const texts = z.array(z.string().max(1000)).max(1000);

const unitTest = z.object({
  Name: z.string().min(1).max(1000),
  ExpectedResult: z.boolean(),
  Log: z.record(z.string(), z.unknown()),
  Mocks: z
    .array(z.object({ objectName: z.string(), returnValue: z.unknown() }))
    .max(100)
    .optional(),
});

const ruleSpec = z.object({
  AnalysisType: z.literal('rule'),
  RuleID: id,
  Enabled: z.boolean(),
  Filename: z.string().min(1).max(500),
  LogTypes: z.array(z.string().max(255)).min(1, 'needs one log type or more').max(500),
  Severity: severity,
  DisplayName: z.string().max(1000).optional(),
  Description: z.string().max(20_000).optional(),
  Reference: z.string().max(5000).optional(),
  Runbook: z.string().max(50_000).optional(),
  DedupPeriodMinutes: z.number().int().min(5, 'is 5 or more').max(43_200).default(60),
  Threshold: z.number().int().min(1, 'is 1 or more').max(1_000_000).default(1),
  CreateAlert: z.boolean().default(true),
  OutputIds: texts.optional(),
  SummaryAttributes: texts.optional(),
  Tags: texts.optional(),
  Reports: z.record(z.string(), z.array(z.union([z.string(), z.number()]))).optional(),
  Tests: z.array(unitTest).max(500).optional(),
});

const globalSpec = z.object({
  AnalysisType: z.literal('global'),
  GlobalID: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, 'must be a Python module name'),
  Filename: z.string().min(1).max(500),
  Description: z.string().max(20_000).optional(),
  Tags: texts.optional(),
});

const dataModelSpec = z.object({
  AnalysisType: z.literal('datamodel'),
  DataModelID: id,
  Enabled: z.boolean(),
  DisplayName: z.string().max(1000).optional(),
  Filename: z.string().max(500).optional(),
  LogTypes: z.array(z.string().max(255)).min(1).max(100),
  Mappings: z
    .array(
      z
        .object({
          Name: z.string().min(1).max(200),
          Path: z.string().min(1).max(1000).optional(),
          Method: z.string().min(1).max(200).optional(),
        })
        .refine(
          (mapping) => (mapping.Path === undefined) !== (mapping.Method === undefined),
          'needs exactly one of Path and Method',
        ),
    )
    .min(1)
    .max(1000),
});

const anySpec = z.discriminatedUnion('AnalysisType', [ruleSpec, globalSpec, dataModelSpec]);

export type RuleSpec = z.output<typeof ruleSpec>;
export type DetectionSpec = z.output<typeof anySpec>;
export type DetectionKind = 'RULE' | 'GLOBAL' | 'DATAMODEL';

/** One detection, global or data model: what its YAML says, and its Python. */
export type ContentItem = {
  readonly id: string;
  readonly kind: DetectionKind;
  readonly isEnabled: boolean;
  readonly spec: DetectionSpec;
  readonly body: string;
};

export type ContentProblem = { readonly key: string; readonly message: string };

export const bodyBytesMax = 1_000_000;

/** A checked specification as an item. */
export function itemOf(spec: DetectionSpec, body: string): ContentItem {
  switch (spec.AnalysisType) {
    case 'rule':
      return { id: spec.RuleID, kind: 'RULE', isEnabled: spec.Enabled, spec, body };
    case 'global':
      return { id: spec.GlobalID, kind: 'GLOBAL', isEnabled: true, spec, body };
    case 'datamodel':
      return { id: spec.DataModelID, kind: 'DATAMODEL', isEnabled: spec.Enabled, spec, body };
  }
}

const laterTypes = new Set([
  'scheduled_rule',
  'policy',
  'correlation_rule',
  'pack',
  'saved_query',
  'scheduled_query',
  'lookup_table',
  'scheduled_prompt',
]);

/** Parses one YAML text; problems name the key. `yaml` aliases are limited, so a small file cannot unfold into a large one. */
export function parseSpec(
  text: string,
): { readonly spec: DetectionSpec } | { readonly problems: readonly ContentProblem[] } {
  let data: unknown;
  try {
    data = parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    return { problems: [{ key: '', message: `is not YAML: ${error instanceof Error ? error.message : ''}` }] };
  }
  const type = typeof data === 'object' && data !== null && 'AnalysisType' in data ? data.AnalysisType : undefined;
  if (typeof type === 'string' && laterTypes.has(type))
    return { problems: [{ key: 'AnalysisType', message: `"${type}" is not supported yet` }] };
  const result = anySpec.safeParse(data);
  if (result.success) return { spec: result.data };
  return {
    problems: result.error.issues
      .slice(0, 20)
      .map((issue) => ({ key: issue.path.map(String).join('.'), message: issue.message })),
  };
}

/** The unit tests of a rule as the sandbox runs them. */
export function unitTests(spec: RuleSpec): readonly UnitTest[] {
  return (spec.Tests ?? []).map((test) => ({
    name: test.Name,
    expectedResult: test.ExpectedResult,
    event: JSON.stringify(test.Log),
    mocks: test.Mocks ?? [],
  }));
}
