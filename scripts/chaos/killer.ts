import { setTimeout as sleep } from 'node:timers/promises';
import { findVictims, type VictimKind } from './processes.ts';

const kinds: readonly VictimKind[] = ['worker', 'scheduler', 'intake', 'supervisor', 'lake', 'postgres', 'sandbox'];

/** More harm that is not a process to kill, e.g. emptying Redis. */
export type Harm = { readonly name: string; run(): Promise<void> };

type Options = {
  readonly random: () => number;
  /** Shortest and longest pause between two kills. */
  readonly pauseMs: { readonly min: number; readonly max: number };
  readonly harms?: readonly Harm[];
  /** Kinds that nobody would start again. */
  readonly spared?: readonly VictimKind[];
  readonly say: (line: string) => void;
};

/**
 * Kills one process of a random kind after another (SIGKILL, by pid), or does other harm, until stopped. Kinds that the
 * deployment does not have are passed over. Returns how often each was hit.
 */
export function startKiller({ random, pauseMs, harms = [], spared = [], say }: Options): {
  stop(): Promise<Readonly<Record<string, number>>>;
} {
  const hits: Record<string, number> = {};
  const stopped = new AbortController();
  const count = (name: string): void => void (hits[name] = (hits[name] ?? 0) + 1);
  const kill = (kind: VictimKind): void => {
    const victims = findVictims().filter((victim) => victim.kind === kind);
    const victim = victims[Math.floor(random() * victims.length)];
    if (victim === undefined) return;
    try {
      process.kill(victim.pid, 'SIGKILL');
    } catch {
      return;
    }
    say(`killed ${kind} (${victim.pid})`);
    count(kind);
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      await sleep(pauseMs.min + random() * (pauseMs.max - pauseMs.min), undefined, { signal: stopped.signal });
      const found = new Set(findVictims().map((victim) => victim.kind));
      const present = kinds.filter((kind) => found.has(kind) && !spared.includes(kind));
      const choice = Math.floor(random() * (present.length + harms.length));
      const kind = present[choice];
      const harm = harms[choice - present.length];
      if (kind !== undefined) kill(kind);
      if (harm !== undefined) {
        await harm.run();
        say(harm.name);
        count(harm.name);
      }
    }
  };
  const done = loop().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  return {
    async stop() {
      stopped.abort();
      await done;
      return hits;
    },
  };
}
