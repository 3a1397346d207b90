import { hashId } from '#platform/ids';
import type { ContentItem } from './content/content-item.ts';
import { resolveDerived } from './content/derived.ts';
import type { SandboxContent, SandboxRule } from './sandbox/sandbox-contract.ts';

/** Everything a batch is evaluated with: what the sandbox loads, and what alerts need beside it. */
export type EvaluationContent = { readonly revision: string; readonly items: readonly ContentItem[] };

const evaluatedKinds = new Set(['RULE', 'GLOBAL', 'DATAMODEL']);

function revisionOf(items: readonly ContentItem[]): EvaluationContent {
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    revision: hashId(...sorted.flatMap((item) => [item.kind, item.id, item.body, JSON.stringify(item.spec)])),
    items: sorted.map(({ id, kind, isEnabled, spec, body }) => ({ id, kind, isEnabled, spec, body })),
  };
}

/**
 * Enabled content that runs on events, derived rules resolved, in a fixed order and named by its hash: equal revision,
 * equal behaviour. Tests are no part of it.
 */
export function evaluationContent(items: readonly ContentItem[]): EvaluationContent {
  return revisionOf(
    resolveDerived(items)
      .filter((item) => item.isEnabled && evaluatedKinds.has(item.kind))
      .map((item) => ('Tests' in item.spec ? { ...item, spec: { ...item.spec, Tests: undefined } } : item)),
  );
}

/** All that has Python, also what is switched off: what a test run loads. */
export function testingContent(items: readonly ContentItem[]): EvaluationContent {
  return revisionOf(resolveDerived(items).filter((item) => item.kind !== 'DATAMODEL' || item.isEnabled));
}

function sandboxRule({ id, spec, body }: ContentItem): SandboxRule | undefined {
  if (spec.AnalysisType === 'policy')
    return {
      id,
      body,
      kind: 'policy',
      logTypes: spec.ResourceTypes ?? [],
      severity: spec.Severity,
      ...named(spec.DisplayName),
    };
  if ((spec.AnalysisType !== 'rule' && spec.AnalysisType !== 'scheduled_rule') || 'BaseDetection' in spec)
    return undefined;
  if (spec.Detection !== undefined) return undefined;
  const kind = spec.AnalysisType;
  const logTypes = spec.LogTypes ?? [];
  return { id, body, kind, logTypes, severity: spec.Severity, ...named(spec.AlertTitle ?? spec.DisplayName) };
}

const named = (displayName: string | undefined) => (displayName === undefined ? {} : { displayName });

/** What the interpreter loads. Tests of rules stay outside: they are data for the test run only. */
export function sandboxContent({ revision, items }: EvaluationContent): SandboxContent {
  const globals: SandboxContent['globals'][number][] = [];
  const dataModels: SandboxContent['dataModels'][number][] = [];
  const rules: SandboxRule[] = [];
  for (const item of items) {
    const { id, spec, body } = item;
    if (spec.AnalysisType === 'global') globals.push({ id, body });
    else if (spec.AnalysisType === 'datamodel') {
      const mappings = spec.Mappings.map(({ Name, Path, Method }) => ({ name: Name, path: Path, method: Method }));
      dataModels.push({ id, logTypes: spec.LogTypes, mappings, ...(body === '' ? {} : { body }) });
    } else {
      const rule = sandboxRule(item);
      if (rule) rules.push(rule);
    }
  }
  return { revision, globals, dataModels, rules };
}
