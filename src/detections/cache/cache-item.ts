import { z } from 'zod';

/** What detections of a tenant keep under one key. All parts share one time to live. */
export type CacheItem = {
  readonly count: number;
  readonly strings: readonly string[];
  /** JSON text of an object. */
  readonly dictionary: string | null;
  readonly expiresAt: Date;
};

export const cacheKeyLengthMax = 1024;
/** Keys one chunk or one batch may change. */
export const cacheChangesMax = 10_000;
const itemCharactersMax = 400 * 1024;

/** The store takes no NUL in its texts; a guest that sends one has not run our engine. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000'), 'holds a NUL');

/** How a chunk changed one key: relative where it can be, so that batches evaluated side by side add up. */
export const cacheChange = z.object({
  key: text(cacheKeyLengthMax).refine((key) => key !== '', 'is empty'),
  count: z.object({ reset: z.boolean(), add: z.number().int() }).optional(),
  strings: z
    .object({
      replace: z.boolean(),
      add: z.array(text(itemCharactersMax)).max(200_000),
      remove: z.array(text(itemCharactersMax)).max(200_000),
    })
    .optional(),
  dictionary: text(itemCharactersMax).nullable().optional(),
  /** Seconds since 1970. */
  expires: z.number().min(-1e12).max(1e12).optional(),
});

export type CacheChange = z.output<typeof cacheChange>;

const ninetyDaysMs = 90 * 24 * 3_600_000;
const latestMs = Date.UTC(9999, 0);

const without = (strings: readonly string[], gone: readonly string[]): readonly string[] => {
  const dropped = new Set(gone);
  return strings.filter((text) => !dropped.has(text));
};
const joined = (...sets: readonly (readonly string[])[]): readonly string[] => [...new Set(sets.flat())];

/** The item after a change, or undefined when nothing is left of it. What has expired counts as not there. */
export function applyChange(stored: CacheItem | undefined, change: CacheChange, now: Date): CacheItem | undefined {
  const base = stored !== undefined && stored.expiresAt > now ? stored : undefined;
  const { count, strings, dictionary, expires } = change;
  const startCount = count?.reset ? 0 : (base?.count ?? 0);
  const startStrings = strings?.replace ? [] : (base?.strings ?? []);
  const moment = expires === undefined ? undefined : new Date(Math.min(Math.max(expires * 1000, 0), latestMs));
  const item: CacheItem = {
    count: Math.min(Math.max(startCount + (count?.add ?? 0), -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER),
    strings: joined(without(startStrings, strings?.remove ?? []), strings?.add ?? []),
    dictionary: dictionary === undefined ? (base?.dictionary ?? null) : dictionary,
    expiresAt: moment ?? base?.expiresAt ?? new Date(now.getTime() + ninetyDaysMs),
  };
  const isEmpty = item.count === 0 && item.strings.length === 0 && item.dictionary === null;
  return isEmpty || item.expiresAt <= now ? undefined : item;
}

/** One change that does what the first and then the second do. */
export function composeChanges(first: CacheChange | undefined, second: CacheChange): CacheChange {
  if (first === undefined) return second;
  const { count: one, strings: former } = first;
  const { count: two, strings: latter } = second;
  const count =
    one === undefined || two === undefined || two.reset ? (two ?? one) : { reset: one.reset, add: one.add + two.add };
  const strings =
    former === undefined || latter === undefined || latter.replace
      ? (latter ?? former)
      : {
          replace: former.replace,
          add: [...joined(without(former.add, latter.remove), latter.add)],
          remove: [...joined(without(former.remove, latter.add), latter.remove)],
        };
  const dictionary = second.dictionary === undefined ? first.dictionary : second.dictionary;
  const expires = second.expires ?? first.expires;
  return {
    key: second.key,
    ...(count && { count }),
    ...(strings && { strings }),
    ...(dictionary !== undefined && { dictionary }),
    ...(expires !== undefined && { expires }),
  };
}
