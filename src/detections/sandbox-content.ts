import { hashId } from '#platform/ids';
import type { ContentItem } from './content/content-item.ts';
import type { SandboxContent } from './sandbox/sandbox-contract.ts';

/** Everything a batch is evaluated with: what the sandbox loads, and what alerts need beside it. */
export type EvaluationContent = { readonly revision: string; readonly items: readonly ContentItem[] };

/** Enabled content in a fixed order, named by its hash: equal revision, equal behaviour. */
export function evaluationContent(items: readonly ContentItem[]): EvaluationContent {
  const enabled = items.filter((item) => item.isEnabled).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    revision: hashId(...enabled.flatMap((item) => [item.kind, item.id, item.body, JSON.stringify(item.spec)])),
    items: enabled,
  };
}

/** What the interpreter loads. Tests of rules stay outside: they are data for the test run only. */
export function sandboxContent({ revision, items }: EvaluationContent): SandboxContent {
  const globals: SandboxContent['globals'][number][] = [];
  const dataModels: SandboxContent['dataModels'][number][] = [];
  const rules: SandboxContent['rules'][number][] = [];
  for (const { id, spec, body } of items) {
    if (spec.AnalysisType === 'global') globals.push({ id, body });
    else if (spec.AnalysisType === 'datamodel') {
      const mappings = spec.Mappings.map(({ Name, Path, Method }) => ({ name: Name, path: Path, method: Method }));
      dataModels.push({ id, logTypes: spec.LogTypes, mappings, ...(body === '' ? {} : { body }) });
    } else {
      const name = spec.DisplayName === undefined ? {} : { displayName: spec.DisplayName };
      rules.push({ id, body, logTypes: spec.LogTypes, severity: spec.Severity, ...name });
    }
  }
  return { revision, globals, dataModels, rules };
}
