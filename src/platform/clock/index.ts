/** Source of time, handed in so that tests decide what "now" is. */
export type Clock = {
  now(): Date;
};

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is moved. */
export function manualClock(start: Date): Clock & { advance(milliseconds: number): void } {
  let current = start.getTime();
  return {
    now: () => new Date(current),
    advance(milliseconds) {
      current += milliseconds;
    },
  };
}

/** A clock that goes with another one, which all processes share. */
export type SharedClock = Clock & {
  /** Asks the shared clock once more. Returns by how many milliseconds this machine's own is off. */
  follow(): Promise<number>;
};

/** Less than this is the noise of asking; a machine kept by NTP is never so far off. */
const offMsMax = 2000;

/**
 * This machine's clock, set right where it is off the shared one by seconds or more, so that a worker whose clock is an
 * hour off delivers and counts like the others.
 */
export function createSharedClock(ask: () => Promise<Date>, own: Clock = systemClock): SharedClock {
  let correctionMs = 0;
  return {
    now: () => new Date(own.now().getTime() + correctionMs),
    async follow() {
      const askedMs = own.now().getTime();
      const shared = await ask();
      const offMs = (askedMs + own.now().getTime()) / 2 - shared.getTime();
      correctionMs = Math.abs(offMs) > offMsMax ? -offMs : 0;
      return offMs;
    },
  };
}
