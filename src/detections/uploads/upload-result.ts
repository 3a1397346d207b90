import { z } from 'zod';
import type { ContentItem, DetectionKind } from '../content/content-item.ts';

type Statistics = {
  readonly new: number;
  readonly newIds: readonly string[];
  readonly modified: number;
  readonly modifiedIds: readonly string[];
  readonly deleted: number;
  readonly deletedIds: readonly string[];
  readonly total: number;
  readonly totalIds: readonly string[];
};

const groups = {
  rules: ['RULE', 'SCHEDULED_RULE'],
  policies: ['POLICY'],
  correlationRules: ['CORRELATION_RULE'],
  globalHelpers: ['GLOBAL'],
  dataModels: ['DATAMODEL'],
  queries: ['SAVED_QUERY', 'SCHEDULED_QUERY'],
  lookupTables: ['LOOKUP_TABLE'],
  scheduledPrompts: ['SCHEDULED_PROMPT'],
  packs: ['PACK'],
} as const satisfies Readonly<Record<string, readonly DetectionKind[]>>;

/** Counts by group of content, as clients read them. */
export type UploadResult = { readonly [Group in keyof typeof groups]: Statistics };

/** What an upload changed. What was equal to the saved item counts in the total only. */
export function resultOf(
  items: readonly ContentItem[],
  changed: { readonly newIds: readonly string[]; readonly modifiedIds: readonly string[] },
): UploadResult {
  const [created, modified] = [new Set(changed.newIds), new Set(changed.modifiedIds)];
  const statistics = (kinds: readonly DetectionKind[]): Statistics => {
    const totalIds = items.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
    const newIds = totalIds.filter((id) => created.has(id));
    const modifiedIds = totalIds.filter((id) => modified.has(id));
    return {
      new: newIds.length,
      newIds,
      modified: modifiedIds.length,
      modifiedIds,
      deleted: 0,
      deletedIds: [],
      total: totalIds.length,
      totalIds,
    };
  };
  return Object.fromEntries(Object.entries(groups).map(([name, kinds]) => [name, statistics(kinds)])) as UploadResult;
}

const refusal = z.object({
  error: z.string(),
  issues: z.array(z.object({ path: z.string(), errorMessage: z.string() })),
});

/** The error of a receipt for people: a line for each file. It is a text, or JSON with the problem of each file. */
export function failureText(error: string): string {
  if (!error.startsWith('{')) return error;
  const { error: first, issues } = refusal.parse(JSON.parse(error));
  return [first, ...issues.map(({ path, errorMessage }) => `${path}: ${errorMessage}`)].join('\n');
}
