import type { StoredDetection } from '#detections';
import { DomainError, notFound } from '#platform/errors';
import { limit, optionalText } from './query.ts';
import type { Caller } from './route.ts';
import { pageOf } from './shapes.ts';

/** What globals and data models have in common. */

type Kind = 'GLOBAL' | 'DATAMODEL';
const nouns = { GLOBAL: 'global', DATAMODEL: 'data model' } as const;

export async function all(kind: Kind, { actor, services }: Caller): Promise<readonly StoredDetection[]> {
  return (await services.detections.list(actor, {})).filter((item) => item.kind === kind);
}

export const find = async (kind: Kind, id: string | undefined, caller: Caller) =>
  (await all(kind, caller)).find((item) => item.id === id);

export async function get(kind: Kind, id: string | undefined, caller: Caller): Promise<StoredDetection> {
  const found = await find(kind, id, caller);
  if (found === undefined) throw notFound(nouns[kind], id ?? '');
  return found;
}

export async function refuseTaken(id: string, { actor, services }: Caller): Promise<void> {
  if (!(await services.detections.list(actor, {})).some((item) => item.id === id)) return;
  throw new DomainError('conflict', { field: 'id', publicMessage: `There is a detection "${id}" already.` });
}

export function page<Body>(
  items: readonly StoredDetection[],
  after: string | undefined,
  size: number,
  body: (item: StoredDetection) => Body,
) {
  const rest = after === undefined ? items : items.filter(({ id }) => id > after);
  const shown = rest.slice(0, size);
  return pageOf(shown.map(body), rest.length > shown.length ? (shown.at(-1)?.id ?? null) : null);
}

export const pageQuery = {
  cursor: optionalText('`next` of the page before.'),
  limit: limit({ usual: 100, max: 1000 }),
};
