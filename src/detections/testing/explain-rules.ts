import type { ContentItem } from '../content/content-item.ts';
import type { RuleExplanation, SandboxPool } from '../sandbox/sandbox-contract.ts';
import { sandboxContent, testingContent } from '../sandbox-content.ts';

/** When one rule or policy runs. */
export type ExplainedRule = RuleExplanation & { readonly id: string };

/** Says of each chosen rule and policy with Python when it runs; `items` is all that it may import. */
export async function explainRules(
  { sandbox, tenantId }: { readonly sandbox: Pick<SandboxPool, 'explain'>; readonly tenantId: string },
  items: readonly ContentItem[],
  chosen: readonly ContentItem[],
): Promise<readonly ExplainedRule[]> {
  const content = sandboxContent(testingContent(items));
  const loaded = new Set(content.rules.map((rule) => rule.id));
  const ruleIds = chosen.filter((item) => loaded.has(item.id)).map((item) => item.id);
  if (ruleIds.length === 0) return [];
  const found = await sandbox.explain({ tenantId, content, ruleIds });
  return ruleIds.map((id, index) => ({ id, ...(found[index] ?? { witness: null, reasons: [] }) }));
}

/** One line for the author of a rule. */
export function describeExplanation({ id, witness, reasons }: ExplainedRule): string {
  if (witness === 'false') return `${id}: never runs, because it can neither match nor fail`;
  return witness === null
    ? `${id}: runs on every event, because ${reasons.join('; ')}`
    : `${id}: runs only when ${witness}`;
}
