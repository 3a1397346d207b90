import type { Clock } from '#platform/clock';
import type { Database } from '#platform/postgres';
import { listAllowedOrigins } from './settings-store.ts';

/** Which web pages may read answers of the API (CORS). A change counts within half a minute. */
export type OriginPolicy = {
  /** Whether any tenant allows the origin: all that can be said before there is a credential. */
  isKnown(origin: string): Promise<boolean>;
  isAllowed(tenantId: string, origin: string): Promise<boolean>;
};

const keptMs = 30_000;

export function createOriginPolicy({
  database,
  clock,
}: {
  readonly database: Database;
  readonly clock: Clock;
}): OriginPolicy {
  let known: Promise<ReadonlyMap<string, readonly string[]>> | undefined;
  let readAt = 0;
  const read = (): Promise<ReadonlyMap<string, readonly string[]>> => {
    const now = clock.now().getTime();
    if (known !== undefined && now - readAt < keptMs) return known;
    readAt = now;
    known = database.withSystem('a browser asks before it sends a credential', listAllowedOrigins);
    known.catch(() => (known = undefined));
    return known;
  };
  return {
    isKnown: async (origin) => [...(await read()).values()].some((origins) => origins.includes(origin)),
    isAllowed: async (tenantId, origin) => (await read()).get(tenantId)?.includes(origin) ?? false,
  };
}
