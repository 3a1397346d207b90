import { analysisTypes, type ContentItem } from './content-item.ts';

/** One `KEY=value,value` or `KEY!=value` of a command line. */
export type ContentFilter = { readonly key: string; readonly isNegated: boolean; readonly values: readonly string[] };

/** Keys of all types, as far as one can ask for their value. */
const keys = [
  ...[
    'AnalysisType',
    'RuleID',
    'PolicyID',
    'GlobalID',
    'DataModelID',
    'PackID',
    'QueryName',
    'LookupName',
    'PromptName',
  ],
  ...['Enabled', 'Severity', 'Status', 'Tags', 'LogTypes', 'ResourceTypes', 'ScheduledQueries', 'DisplayName'],
  ...['CreateAlert', 'Threshold', 'DedupPeriodMinutes', 'BaseDetection', 'Filename', 'CreatedBy', 'OutputIds'],
  ...['SummaryAttributes', 'Description', 'Reference', 'Runbook', 'Suppressions', 'OnlyUseBaseRiskScore'],
];

/** Parses filters. Throws an Error that says what is wrong. */
export function parseFilters(texts: readonly string[]): readonly ContentFilter[] {
  return texts.map((text) => {
    const match = /^([A-Za-z]+)(!?=)(.*)$/s.exec(text);
    const [, key = '', operator, values = ''] = match ?? [];
    if (match === null) throw new Error(`"${text}" is no filter: write KEY=value,value or KEY!=value`);
    if (!keys.includes(key)) throw new Error(`"${key}" is no key to filter by. Known: ${keys.join(', ')}`);
    const wanted = values.split(',').map((value) => value.trim().toLowerCase());
    if (key === 'AnalysisType' && wanted.some((value) => !(analysisTypes as readonly string[]).includes(value)))
      throw new Error(`AnalysisType is one of ${analysisTypes.join(', ')}`);
    return { key, isNegated: operator === '!=', values: wanted };
  });
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Whether an item passes every filter: values of one are alternatives, a list matches by any entry, case is ignored. */
export function passesFilters({ spec }: ContentItem, filters: readonly ContentFilter[]): boolean {
  const fields: Readonly<Record<string, unknown>> = spec;
  return filters.every(({ key, isNegated, values }) => {
    const value = fields[key];
    const own = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((item) =>
      shown(item).toLowerCase(),
    );
    return own.some((item) => values.includes(item)) !== isNegated;
  });
}
