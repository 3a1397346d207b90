import type { Kernel, SimProcess } from './kernel.ts';
import type { Disk } from './model/objects.ts';

export type Store = 'database' | 'objects' | 'lake' | 'queue' | 'sandbox';
const stores: readonly Store[] = ['database', 'objects', 'lake', 'queue', 'sandbox'];

/** How likely each kind of harm is at one step. */
export type Rates = {
  readonly crash: number;
  readonly error: number;
  readonly stall: number;
  readonly outage: number;
  readonly powerLoss: number;
  readonly longNight: number;
  /** Of one notice of the database, and of one answer of a receiver. */
  readonly lostNotice: number;
  readonly lostAnswer: number;
  readonly queueLoss: number;
};

const noHarm: Rates = {
  crash: 0,
  error: 0,
  stall: 0,
  outage: 0,
  powerLoss: 0,
  longNight: 0,
  lostNotice: 0,
  lostAnswer: 0,
  queueLoss: 0,
};

/** A fifth of all schedules are calm: there, even what may happen twice must happen once. */
export function chooseRates(kernel: Kernel): Rates {
  if (kernel.chance(0.2)) return noHarm;
  const some = (max: number): number => (kernel.chance(0.6) ? kernel.random() * max : 0);
  return {
    crash: some(0.02),
    error: some(0.02),
    stall: some(0.004),
    outage: some(0.002),
    powerLoss: some(0.002),
    longNight: kernel.chance(0.3) ? 0.0005 : 0,
    lostNotice: some(0.5),
    lostAnswer: some(0.3),
    queueLoss: some(0.002),
  };
}

const codes: Readonly<Record<Store, string>> = {
  database: '08006',
  objects: 'EIO',
  lake: 'ECONNRESET',
  queue: 'ECONNRESET',
  sandbox: 'EAGAIN',
};
const never = new Promise<never>(() => undefined);
const longNightMs = 26 * 3_600_000;

type Deps = {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly rates: Rates;
  /** How many steps take long. */
  readonly slowShare: number;
  /** Processes that may come to harm. */
  readonly victims: () => readonly SimProcess[];
  readonly loseQueues: () => void;
};

/** Decides at each step of a process what goes wrong. */
export class Faults {
  isOn = true;
  readonly counts: Record<string, number> = {};
  readonly #deps: Deps;
  readonly #outageUntilMs = new Map<Store, number>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get isCalm(): boolean {
    return this.#deps.rates === noHarm;
  }

  get rates(): Rates {
    return this.isOn ? this.#deps.rates : noHarm;
  }

  count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** One await of a process at a store: it takes a moment, fails, or is the last thing the process does. */
  async step(owner: SimProcess, store: Store, what: string): Promise<void> {
    const { kernel } = this.#deps;
    if (!owner.isAlive) return never;
    kernel.note(owner, what);
    if (this.isOn && owner.canBeHarmed && !this.isCalm) this.#harm(owner);
    if (!owner.isAlive) return never;
    await kernel.wait(kernel.chance(this.#deps.slowShare) ? kernel.between(0, 400) : kernel.between(0, 4), owner);
    if (!owner.canBeHarmed) return;
    if (kernel.chance(this.rates.error) || (this.isOn && (this.#outageUntilMs.get(store) ?? 0) > kernel.nowMs)) {
      this.count('error');
      kernel.note(owner, `${what}: fails`);
      throw Object.assign(new Error(`Simulated: ${store} is away.`), { code: codes[store] });
    }
  }

  #harm(owner: SimProcess): void {
    const { kernel, rates, disk, victims, loseQueues } = this.#deps;
    if (kernel.chance(rates.crash)) {
      this.count('crash');
      kernel.kill(owner);
    }
    if (kernel.chance(rates.stall)) {
      this.count('stall');
      owner.stalledUntilMs = kernel.nowMs + kernel.between(5000, 120_000);
      kernel.note(owner, `is paused for ${Math.round(owner.stalledUntilMs - kernel.nowMs)} ms`);
    }
    if (kernel.chance(rates.outage)) {
      this.count('outage');
      const store = kernel.pick(stores);
      this.#outageUntilMs.set(store, kernel.nowMs + kernel.between(1000, 30_000));
      kernel.note(owner, `${store} goes away`);
    }
    if (kernel.chance(rates.queueLoss)) {
      this.count('queueLoss');
      kernel.note(owner, 'the queues are lost');
      loseQueues();
    }
    const isNight = kernel.chance(rates.longNight);
    if (!isNight && !kernel.chance(rates.powerLoss)) return;
    this.count(isNight ? 'longNight' : 'powerLoss');
    kernel.note(owner, isNight ? 'everything is off for 26 hours' : 'the power fails');
    disk.loseUnsynced();
    if (isNight) kernel.nowMs += longNightMs;
    for (const victim of victims()) kernel.kill(victim);
  }
}
