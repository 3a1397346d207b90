import type { RootResolver } from '../context.ts';
import { page } from '../page.ts';

const systemErrors: RootResolver<{ input?: { cursor?: string | null } | null }> = async (
  _root,
  { input },
  { actor, services },
) => {
  const found = await services.systemErrors.list(actor, input ?? {});
  return page(found.systemErrors, found.endCursor, input?.cursor);
};

const resolveSystemError: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.systemErrors.resolve(actor, input);

export const systemErrorResolvers = {
  Query: { systemErrors },
  Mutation: { resolveSystemError },
};
