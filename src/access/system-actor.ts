import type { Actor } from './actor.ts';
import { allPermissions } from './permission.ts';

/** The product itself, working for one tenant: first start, workers, clocks. `name` says which part. */
export function systemActor(tenantId: string, name: string, traceId: string): Actor {
  return {
    kind: 'system',
    id: 'system',
    name,
    tenantId,
    permissions: new Set(allPermissions),
    logTypeAccess: { kind: 'ALLOW_ALL' },
    origin: { traceId },
  };
}
