import type { Clock } from '#platform/clock';

/** At most so many in each window; the name is part of every key and of the headers. */
export type RateRule = { readonly name: string; readonly max: number; readonly seconds: number };

export type Verdict = {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetSeconds: number;
};

export type Increment = { readonly key: string; readonly windowStart: Date; readonly requests: number };

/** Adds what this process counted and answers what all processes together have. */
export type SharedCounts = { add(increments: readonly Increment[]): Promise<readonly Increment[]> };

export type RateLimiter = {
  /** Counts one and says whether it is within the rule. */
  take(rule: RateRule, key: string): Verdict;
  /** Says the same without counting. */
  look(rule: RateRule, key: string): Verdict;
  /** Exchanges counts with the other processes now; it also happens every second. */
  sync(): Promise<void>;
  close(): void;
};

type Count = { readonly windowStart: number; readonly endsAt: number; total: number; pending: number };

const keysMax = 50_000;

function verdictOf(rule: RateRule, count: Count, now: number): Verdict {
  const used = count.total + count.pending;
  return {
    isAllowed: used <= rule.max,
    limit: rule.max,
    remaining: Math.max(0, rule.max - used),
    resetSeconds: Math.max(1, Math.ceil((count.endsAt - now) / 1000)),
  };
}

/** The windows that are open, by key. Someone who invents keys faster than windows end may not fill the memory. */
function openWindows() {
  const counts = new Map<string, Count>();
  const forgetOld = (now: number): void => {
    for (const [key, count] of counts) if (count.endsAt <= now) counts.delete(key);
    if (counts.size > keysMax) counts.clear();
  };
  return {
    counts,
    forgetOld,
    of(rule: RateRule, key: string, now: number): Count {
      const name = `${rule.name}:${key}`.slice(0, 300);
      const length = rule.seconds * 1000;
      const windowStart = now - (now % length);
      const known = counts.get(name);
      if (known?.windowStart === windowStart) return known;
      const fresh = { windowStart, endsAt: windowStart + length, total: 0, pending: 0 };
      counts.set(name, fresh);
      if (counts.size > keysMax) forgetOld(now);
      return fresh;
    },
  };
}

/** Sends what was counted since the last time, and takes over what all processes have. */
async function exchange(counts: ReadonlyMap<string, Count>, shared: SharedCounts): Promise<void> {
  const sent = [...counts]
    .filter(([, count]) => count.pending > 0)
    .map(([key, count]) => ({ key, windowStart: new Date(count.windowStart), requests: count.pending }));
  if (sent.length === 0) return;
  const own = new Map(sent.map(({ key, requests }) => [key, requests]));
  for (const { key, windowStart, requests } of await shared.add(sent)) {
    const count = counts.get(key);
    if (count?.windowStart !== windowStart.getTime()) continue;
    count.total = requests;
    count.pending -= own.get(key) ?? 0;
  }
}

type Deps = {
  readonly clock: Clock;
  readonly shared: SharedCounts;
  readonly onError: (error: unknown) => void;
};

/**
 * Fixed windows counted in memory and exchanged with the other processes every second: a request never waits for the
 * exchange, and a limit is passed by at most what a second brings. When the exchange fails each process counts alone.
 */
export function createRateLimiter({ clock, shared, onError }: Deps): RateLimiter {
  const windows = openWindows();
  let isSyncing = false;
  const sync = async (): Promise<void> => {
    if (isSyncing) return;
    isSyncing = true;
    windows.forgetOld(clock.now().getTime());
    await exchange(windows.counts, shared).catch(onError);
    isSyncing = false;
  };
  const timer = setInterval(() => void sync(), 1000);
  timer.unref();
  return {
    take(rule, key) {
      const now = clock.now().getTime();
      const count = windows.of(rule, key, now);
      count.pending += 1;
      return verdictOf(rule, count, now);
    },
    look(rule, key) {
      const now = clock.now().getTime();
      const { isAllowed, ...rest } = verdictOf(rule, windows.of(rule, key, now), now);
      return { ...rest, isAllowed: isAllowed && rest.remaining > 0 };
    },
    sync,
    close: () => clearInterval(timer),
  };
}
