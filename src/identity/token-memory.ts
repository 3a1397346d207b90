import type { Permission } from '#access';
import type { Clock } from '#platform/clock';
import type { Database } from '#platform/postgres';
import type { ApiToken } from './token.ts';

/** A token that exists, and all it may do. */
export type KnownToken = {
  readonly tenantId: string;
  readonly token: ApiToken;
  readonly permissions: ReadonlySet<Permission>;
  /** When its use was last written down. */
  touchedAt: number;
};

/** Tokens checked a moment ago, by the hash of their value. */
export type TokenMemory = {
  /** The token of this hash, from memory or by asking; what is not found is not remembered. */
  find(hash: string, ask: () => Promise<KnownToken | undefined>): Promise<KnownToken | undefined>;
  /** Forgets all: called after every change of a token. */
  forget(): void;
  /** Starts to remember, and forgets when any process changes a token. Returns the end of listening. */
  follow(database: Pick<Database, 'listen'>): Promise<() => Promise<void>>;
};

/** How long a revoked token could still be good in another process, were the notice of its end lost. */
const keptMs = 2000;
const tokensMax = 10_000;

/** Remembers nothing until it follows the changes of other processes. */
export function createTokenMemory(clock: Clock): TokenMemory {
  const known = new Map<string, { readonly found: KnownToken; readonly until: number }>();
  let isFollowing = false;
  let changes = 0;
  const forget = (): void => {
    changes += 1;
    known.clear();
  };
  return {
    forget,
    async find(hash, ask) {
      const now = clock.now().getTime();
      const remembered = known.get(hash);
      if (remembered !== undefined && now < remembered.until && now >= remembered.until - keptMs)
        return remembered.found;
      const before = changes;
      const found = await ask();
      // A change that was told meanwhile may be newer than what was read.
      if (!isFollowing || found === undefined || before !== changes) return found;
      if (known.size >= tokensMax) known.clear();
      known.set(hash, { found, until: now + keptMs });
      return found;
    },
    async follow(database) {
      const stop = await database.listen('api_tokens', forget);
      isFollowing = true;
      return async () => {
        isFollowing = false;
        forget();
        await stop();
      };
    },
  };
}
