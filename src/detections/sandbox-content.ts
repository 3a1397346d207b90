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
    revision: hashId(
      ...sorted.flatMap(({ kind, id, body, spec, bodyFile }) => [
        kind,
        id,
        body,
        JSON.stringify(spec),
        ...(bodyFile === undefined ? [] : [bodyFile]),
      ]),
    ),
    items: sorted.map(({ id, kind, isEnabled, spec, body, bodyFile }) => ({
      id,
      kind,
      isEnabled,
      spec,
      body,
      ...(bodyFile === undefined ? {} : { bodyFile }),
    })),
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

/** What the author calls the Python: its place in the folder or archive, or as the YAML names it. */
function fileOf({ spec, bodyFile }: ContentItem): { readonly file?: string } {
  const file = bodyFile ?? ('Filename' in spec ? spec.Filename : undefined);
  return file === undefined ? {} : { file };
}

function sandboxRule(item: ContentItem): SandboxRule | undefined {
  const { id, spec, body } = item;
  if (spec.AnalysisType === 'policy')
    return {
      id,
      body,
      ...fileOf(item),
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
  const more = { ...fileOf(item), ...named(spec.AlertTitle ?? spec.DisplayName) };
  return { id, body, kind, logTypes, severity: spec.Severity, ...more };
}

const named = (displayName: string | undefined) => (displayName === undefined ? {} : { displayName });

/** What the interpreter loads. Tests of rules stay outside: they are data for the test run only. */
export function sandboxContent({ revision, items }: EvaluationContent): SandboxContent {
  const globals: SandboxContent['globals'][number][] = [];
  const dataModels: SandboxContent['dataModels'][number][] = [];
  const rules: SandboxRule[] = [];
  for (const item of items) {
    const { id, spec, body } = item;
    if (spec.AnalysisType === 'global') globals.push({ id, body, ...fileOf(item) });
    else if (spec.AnalysisType === 'datamodel') {
      const mappings = spec.Mappings.map(({ Name, Path, Method }) => ({ name: Name, path: Path, method: Method }));
      dataModels.push({ id, logTypes: spec.LogTypes, mappings, ...(body === '' ? {} : { body, ...fileOf(item) }) });
    } else {
      const rule = sandboxRule(item);
      if (rule) rules.push(rule);
    }
  }
  return { revision, globals, dataModels, rules };
}
