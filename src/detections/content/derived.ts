import { type ContentItem, type DerivedRuleSpec, isDerived, isRule, type RuleSpec } from './content-item.ts';

/** A rule that can run: with logic, log types and every value. */
export type RuleItem = ContentItem & { readonly spec: RuleSpec };

export const isRuleItem = (item: ContentItem): item is RuleItem => isRule(item.spec);

/** The base with what the derived rule says instead, key by key; lists are replaced, not merged. */
function derive(base: RuleItem, { BaseDetection: _base, ...overrides }: DerivedRuleSpec): RuleItem {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const { body, bodyFile } = base;
  const spec: RuleSpec = { ...base.spec, Enabled: true, ...given, AnalysisType: 'rule' };
  return {
    id: spec.RuleID,
    kind: 'RULE',
    isEnabled: spec.Enabled,
    spec,
    body,
    ...(bodyFile === undefined ? {} : { bodyFile }),
  };
}

/**
 * Items with every derived rule resolved against its base, which may itself be switched off. A derived rule whose base
 * is absent, or is derived itself, is left out: `checkContent` reports it.
 */
export function resolveDerived(items: readonly ContentItem[]): readonly ContentItem[] {
  const bases = new Map(items.filter(isRuleItem).map((item) => [item.id, item]));
  return items.flatMap((item) => {
    if (!isDerived(item.spec)) return [item];
    const base = bases.get(item.spec.BaseDetection);
    return base === undefined ? [] : [derive(base, item.spec)];
  });
}
