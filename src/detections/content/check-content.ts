import { compileFilters } from '../simple/compile.ts';
import { SimpleError } from '../simple/simple-error.ts';
import { compileSimpleRule } from '../simple/simple-rule.ts';
import { type ContentItem, type ContentProblem, isDerived, isSimple } from './content-item.ts';
import { isRuleItem } from './derived.ts';

/** What only shows when items are seen together, or when an expression is compiled. */
export type ItemProblem = ContentProblem & { readonly id: string };

const problem = (id: string, key: string, message: string): ItemProblem => ({ id, key, message });

function simpleProblems({ id, spec }: ContentItem): readonly ItemProblem[] {
  const attempt = (compile: () => unknown): readonly ItemProblem[] => {
    try {
      compile();
      return [];
    } catch (error) {
      if (error instanceof SimpleError) return [problem(id, error.path.join('.'), error.message)];
      throw error;
    }
  };
  const filters = 'InlineFilters' in spec ? spec.InlineFilters : undefined;
  return [
    ...(isSimple(spec) ? attempt(() => compileSimpleRule(spec)) : []),
    ...(filters === undefined ? [] : attempt(() => compileFilters(filters))),
  ];
}

/** Problems that one item has alone, beyond the form of its keys. */
export const checkItem = (item: ContentItem): readonly ItemProblem[] => simpleProblems(item);

function dataModelProblems(items: readonly ContentItem[]): readonly ItemProblem[] {
  const owner = new Map<string, string>();
  return items.flatMap(({ id, spec, isEnabled }) => {
    if (spec.AnalysisType !== 'datamodel' || !isEnabled) return [];
    return spec.LogTypes.flatMap((logType) => {
      const taken = owner.has(logType);
      if (!taken) owner.set(logType, id);
      return taken ? [problem(id, 'LogTypes', `Conflicting Enabled LogType [${logType}] in Data Model [${id}]`)] : [];
    });
  });
}

/** Namespace, data models of one log type, bases of derived rules. `items` are all that will be there together. */
export function checkContent(items: readonly ContentItem[]): readonly ItemProblem[] {
  const seen = new Set<string>();
  const bases = new Set(items.filter(isRuleItem).map(({ id }) => id));
  const derived = new Set(items.filter(({ spec }) => isDerived(spec)).map(({ id }) => id));
  const found: ItemProblem[] = [];
  for (const item of items) {
    const { id, spec } = item;
    if (seen.has(id)) found.push(problem(id, '', `Conflicting AnalysisID: [${id}]`));
    seen.add(id);
    if (isDerived(spec) && !bases.has(spec.BaseDetection)) {
      const why = derived.has(spec.BaseDetection) ? 'is derived itself' : 'does not exist';
      found.push(problem(id, 'BaseDetection', `the rule "${spec.BaseDetection}" ${why}`));
    }
    found.push(...checkItem(item));
  }
  return [...found, ...dataModelProblems(items)];
}

/** Packs name what is there; `known` are the ids of everything. */
export function checkPacks(items: readonly ContentItem[], known: ReadonlySet<string>): readonly ItemProblem[] {
  return items.flatMap(({ id, spec }) => {
    if (spec.AnalysisType !== 'pack') return [];
    const missing = spec.PackDefinition.IDs.filter((wanted) => !known.has(wanted));
    if (missing.length === 0) return [];
    const message = `pack (${id}) definition includes item(s) that do not exist (${missing.join(', ')})`;
    return [problem(id, 'PackDefinition.IDs', message)];
  });
}
