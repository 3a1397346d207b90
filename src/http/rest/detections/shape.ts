import { parse as parseYaml, stringify } from 'yaml';
import { z } from 'zod';
import type { ContentType, StoredDetection } from '#detections';
import { badInput } from '#platform/errors';
import { renaming } from '../save-content.ts';
import { actorOf, actorShape, present, severityNames, timestamp } from '../shapes.ts';
import { shownTests, specTests, testsInput, testsShape } from './tests.ts';

/** The five types of detections in REST: names of their settings, and the same in a content file. */

export type DetectionType = Exclude<ContentType, 'global' | 'data_model'>;

const text = z.string();
const texts = z.array(z.string());

type Setting = {
  readonly key: string;
  readonly schema: z.ZodType;
  /** How the value is written in a content file, and back. */
  readonly form?: 'yaml' | 'detection' | 'reports';
};

const settings = {
  displayName: { key: 'DisplayName', schema: text },
  description: { key: 'Description', schema: text },
  tags: { key: 'Tags', schema: texts },
  reports: { key: 'Reports', schema: z.record(z.string(), texts), form: 'reports' },
  reference: { key: 'Reference', schema: text },
  outputIDs: { key: 'OutputIds', schema: texts },
  runbook: { key: 'Runbook', schema: text },
  summaryAttributes: { key: 'SummaryAttributes', schema: texts },
  dedupPeriodMinutes: { key: 'DedupPeriodMinutes', schema: z.int().min(1) },
  threshold: { key: 'Threshold', schema: z.int().min(1) },
  createAlert: { key: 'CreateAlert', schema: z.boolean() },
  logTypes: { key: 'LogTypes', schema: texts },
  scheduledQueries: { key: 'ScheduledQueries', schema: texts },
  resourceTypes: { key: 'ResourceTypes', schema: texts },
  suppressions: { key: 'Suppressions', schema: texts },
  inlineFilters: { key: 'InlineFilters', schema: text, form: 'yaml' },
  alertTitle: { key: 'AlertTitle', schema: text },
  alertContext: { key: 'AlertContext', schema: text, form: 'yaml' },
  dynamicSeverities: { key: 'DynamicSeverities', schema: text, form: 'yaml' },
  groupBy: { key: 'GroupBy', schema: text, form: 'yaml' },
  detection: { key: 'Detection', schema: text, form: 'detection' },
} as const satisfies Readonly<Record<string, Setting>>;

type SettingName = keyof typeof settings;

const describing = ['displayName', 'description', 'tags', 'reports', 'reference', 'outputIDs'] as const;
const alerting = ['runbook', 'summaryAttributes', 'dedupPeriodMinutes', 'threshold', 'createAlert'] as const;
const yamlTexts = ['alertTitle', 'alertContext', 'dynamicSeverities', 'groupBy'] as const;

type Type = {
  readonly analysisType: string;
  readonly idKey: 'RuleID' | 'PolicyID';
  readonly settings: readonly SettingName[];
  readonly isPython: boolean;
};

const detectionTypes = {
  rule: {
    analysisType: 'rule',
    idKey: 'RuleID',
    settings: [...describing, ...alerting, 'logTypes', 'inlineFilters'],
    isPython: true,
  },
  scheduled_rule: {
    analysisType: 'scheduled_rule',
    idKey: 'RuleID',
    settings: [...describing, ...alerting, 'scheduledQueries'],
    isPython: true,
  },
  simple_rule: {
    analysisType: 'rule',
    idKey: 'RuleID',
    settings: [...describing, ...alerting, 'logTypes', 'inlineFilters', ...yamlTexts, 'detection'],
    isPython: false,
  },
  policy: {
    analysisType: 'policy',
    idKey: 'PolicyID',
    settings: [...describing, 'resourceTypes', 'suppressions'],
    isPython: true,
  },
  correlation_rule: {
    analysisType: 'correlation_rule',
    idKey: 'RuleID',
    settings: [...describing, ...alerting, 'detection'],
    isPython: false,
  },
} as const satisfies Readonly<Record<DetectionType, Type>>;

const namesOf = (type: DetectionType): readonly SettingName[] => detectionTypes[type].settings;
const testForm = (type: DetectionType) => (type === 'correlation_rule' ? 'correlation' : 'event');

const sourceField = (type: DetectionType): { readonly body: z.ZodString } | { readonly detection: z.ZodString } =>
  detectionTypes[type].isPython ? { body: text } : { detection: text };

/** What a detection is made of; what is only read is ignored, so that what was read can be sent back. */
export function inputOf(type: DetectionType) {
  const optional = Object.fromEntries(namesOf(type).map((name) => [name, settings[name].schema.nullish()]));
  return z.object({
    ...optional,
    id: z.string().min(1).max(200),
    severity: severityNames,
    enabled: z.boolean().nullish(),
    tests: testsInput[testForm(type)].nullish(),
    ...sourceField(type),
  });
}

export type DetectionInput = { readonly id: string } & Readonly<Record<string, unknown>>;

/** A detection as REST shows it. */
export function shapeOf(type: DetectionType) {
  const optional = Object.fromEntries(namesOf(type).map((name) => [name, settings[name].schema.optional()]));
  return z.object({
    ...optional,
    id: z.string(),
    severity: severityNames,
    enabled: z.boolean(),
    tests: testsShape[testForm(type)].optional(),
    ...sourceField(type),
    managed: z.boolean().optional(),
    createdAt: timestamp,
    lastModified: timestamp,
    createdBy: actorShape.optional(),
    createdByExternal: z.string().optional(),
    ...(type === 'simple_rule' ? { pythonBody: z.string().optional() } : {}),
    ...(type === 'correlation_rule'
      ? {
          lastModifiedBy: actorShape.optional(),
          correlationRuleReferenceIds: texts.optional(),
          logTypes: texts.optional(),
        }
      : {}),
  });
}

function fromYaml(name: string, value: string): unknown {
  try {
    return parseYaml(value, { maxAliasCount: 100 });
  } catch {
    throw badInput(name, `${name}: is not YAML`);
  }
}

/** The logic alone, under the key that it has in a file, or a single expression: all mean a list of expressions. */
function detectionFrom(value: string): unknown {
  const parsed = fromYaml('detection', value);
  const inner = typeof parsed === 'object' && parsed !== null && 'Detection' in parsed ? parsed.Detection : parsed;
  return Array.isArray(inner) ? inner : [inner];
}

function written(name: SettingName, value: unknown): unknown {
  const { form }: Setting = settings[name];
  if (form === 'detection') return detectionFrom(String(value));
  if (form === 'yaml') return value === '' ? undefined : fromYaml(name, String(value));
  return value;
}

const severityText = (severity: string): string => severity.charAt(0) + severity.slice(1).toLowerCase();

const severityChanges = z.array(z.looseObject({ ChangeTo: z.string() }));

/** A stored value in the spelling of content files: only severities are stored otherwise. */
function asInFile(key: string, value: unknown): unknown {
  if (key !== 'DynamicSeverities') return value;
  return severityChanges.parse(value).map((change) => ({ ...change, ChangeTo: severityText(change.ChangeTo) }));
}

function shown(name: SettingName, value: unknown): unknown {
  const { form, key }: Setting = settings[name];
  if (form === 'detection' || form === 'yaml') return stringify(asInFile(key, value));
  if (form !== 'reports') return value;
  const entries = z.record(z.string(), z.array(z.unknown())).parse(value);
  return Object.fromEntries(Object.entries(entries).map(([framework, items]) => [framework, items.map(String)]));
}

/** Keys of what is saved that REST has no name for: they stay when it is replaced. */
function unnamed(type: DetectionType, known: StoredDetection | undefined): Readonly<Record<string, unknown>> {
  const named: ReadonlySet<string> = new Set([...namesOf(type).map((name) => settings[name].key), 'Tests']);
  const entries = Object.entries(known?.spec ?? {}).filter(([key]) => !named.has(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, asInFile(key, value)]));
}

/** The content file that says the same; JSON is YAML. */
export function specificationOf(type: DetectionType, input: DetectionInput, known?: StoredDetection): string {
  const { analysisType, idKey, isPython } = detectionTypes[type];
  const named = namesOf(type).flatMap((name) => {
    const value = input[name];
    return value === undefined || value === null ? [] : [[settings[name].key, written(name, value)]];
  });
  const kept = unnamed(type, known);
  return JSON.stringify({
    ...(isPython ? { Filename: `${input.id.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}.py` } : {}),
    ...kept,
    AnalysisType: analysisType,
    [idKey]: input.id,
    Enabled: input['enabled'] ?? true,
    Severity: severityText(String(input['severity'])),
    ...Object.fromEntries(named),
    ...(Array.isArray(input['tests']) && input['tests'].length > 0 ? { Tests: specTests(type, input['tests']) } : {}),
  });
}

/** A problem of the content file in the words of REST. */
export const inRestWords = renaming({
  ...Object.fromEntries(Object.entries(settings).map(([name, { key }]) => [key, name])),
  RuleID: 'id',
  PolicyID: 'id',
});

const members = z.object({ RuleID: z.string() }).array().optional();
const correlation = z.array(z.object({ Sequence: members, Group: members }));

/** Ids of the rules that a correlation rule refers to. */
export function referencesOf({ spec }: StoredDetection): readonly string[] {
  const [detection] = correlation.safeParse('Detection' in spec ? spec.Detection : undefined).data ?? [];
  return [...new Set((detection?.Sequence ?? detection?.Group ?? []).map(({ RuleID }) => RuleID))];
}

/** What its author wrote, with keys in that order and without defaults; what is kept is the same without the order. */
function writtenBy({ source }: StoredDetection): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = parseYaml(source, { maxAliasCount: 100 });
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** A stored detection as REST shows it; for correlation rules with the log types of the rules it refers to. */
export function bodyOf(
  type: DetectionType,
  item: StoredDetection,
  logTypes: ReadonlyMap<string, readonly string[]> = new Map(),
): Readonly<Record<string, unknown>> {
  const kept: Readonly<Record<string, unknown>> = { ...item.spec };
  const isYaml = !detectionTypes[type].isPython || 'InlineFilters' in kept;
  const source = isYaml ? writtenBy(item) : {};
  const named = namesOf(type).flatMap((name) => {
    const { form, key }: Setting = settings[name];
    const value = form === 'yaml' || form === 'detection' ? (source[key] ?? kept[key]) : kept[key];
    return kept[key] === undefined ? [] : [[name, shown(name, value)]];
  });
  const references = type === 'correlation_rule' ? referencesOf(item) : [];
  return {
    id: item.id,
    ...(detectionTypes[type].isPython ? { body: item.body } : {}),
    severity: severityNames.parse(String(kept['Severity']).toUpperCase()),
    enabled: item.isEnabled,
    ...Object.fromEntries(named),
    tests: shownTests(type, kept['Tests']),
    managed: false,
    createdAt: item.createdAt.toISOString(),
    lastModified: item.updatedAt.toISOString(),
    ...present('createdBy', item.createdBy && actorOf(item.createdBy)),
    ...present('createdByExternal', kept['CreatedBy']),
    ...(type === 'correlation_rule'
      ? {
          ...present('lastModifiedBy', item.lastModifiedBy && actorOf(item.lastModifiedBy)),
          correlationRuleReferenceIds: references,
          logTypes: [...new Set(references.flatMap((id) => logTypes.get(id) ?? []))].toSorted(),
        }
      : {}),
  };
}
