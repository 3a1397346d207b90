import { applyChange, type CacheChange, cacheChangesMax, type CacheItem, composeChanges } from './cache-item.ts';

/** What the guest gets to see of an item. */
type SeenItem = {
  readonly count: number;
  readonly strings: readonly string[];
  readonly dictionary: string | null;
  readonly expires: number;
};

/** The cache as one batch sees it: the tenant's items when first read, with the batch's own changes on top. */
export type CacheSession = {
  readonly now: Date;
  see(keys: readonly string[]): Promise<Readonly<Record<string, SeenItem>>>;
  /** Changes of a chunk that is done. */
  record(changes: readonly CacheChange[]): void;
  changes(): readonly CacheChange[];
};

/**
 * A session for one evaluation of one batch. `now` is the moment of the batch's plan, so a retry sees the same items
 * expired. Throws when a batch changes more keys than a transaction should hold.
 */
export function openCacheSession(
  now: Date,
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, CacheItem>>,
): CacheSession {
  const stored = new Map<string, CacheItem | undefined>();
  const changed = new Map<string, CacheChange>();
  return {
    now,
    async see(keys) {
      const missing = keys.filter((key) => !stored.has(key));
      if (missing.length > 0) {
        const found = await read(missing);
        for (const key of missing) stored.set(key, found.get(key));
      }
      const seen = keys.flatMap((key): (readonly [string, SeenItem])[] => {
        const item = applyChange(stored.get(key), changed.get(key) ?? { key }, now);
        if (item === undefined) return [];
        const { expiresAt, ...rest } = item;
        return [[key, { ...rest, expires: expiresAt.getTime() / 1000 }]];
      });
      return Object.fromEntries(seen);
    },
    record(changes) {
      for (const change of changes) {
        changed.set(change.key, composeChanges(changed.get(change.key), change));
        if (changed.size > cacheChangesMax)
          throw new Error(`The rules changed more than ${cacheChangesMax} keys of the cache in one batch.`);
      }
    },
    changes: () => [...changed.values()],
  };
}
