import type { RootResolver } from '../context.ts';
import { page } from '../page.ts';

const auditEvents: RootResolver<{ input?: { cursor?: string | null } | null }> = async (
  _root,
  { input },
  { actor, services },
) => {
  const found = await services.audit.list(actor, input ?? {});
  return page(found.events, found.endCursor, input?.cursor);
};

export const auditResolvers = { Query: { auditEvents } };
