import type { SandboxPool } from '#detections';

type Cache = Parameters<SandboxPool['evaluate']>[0]['cache'];

/** Where the rules of a tenant count their hits of a group, together. */
export const keyOf = (group: string): string => `hits of ${group}`;

/** Counts a hit in what rules remember, as its Python would. Returns what the rule saw there before. */
export async function remember(cache: Cache, group: string): Promise<number> {
  const key = keyOf(group);
  const seen = (await cache?.see([key]))?.[key]?.count ?? 0;
  cache?.record([{ key, count: { reset: false, add: 1 } }]);
  return seen;
}
