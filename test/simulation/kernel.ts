import { createRandom } from '../../scripts/chaos/random.ts';

/** A process of the simulated deployment. When it is dead, whatever it waited for never comes. */
export type SimProcess = {
  readonly name: string;
  isAlive: boolean;
  /** Until then nothing of it runs: it is paused, and lives on afterwards without knowing. */
  stalledUntilMs: number;
  /** How far its clock is from the true one. */
  readonly skewMs: number;
  readonly onDeath: Set<() => void>;
  /** Senders and people are not part of the deployment: they come to no harm. */
  readonly canBeHarmed: boolean;
};

type SimEvent = {
  readonly order: number;
  atMs: number;
  readonly owner: SimProcess;
  readonly run: () => void;
  isCancelled: boolean;
};

type Timer = { readonly event: SimEvent; repeatMs: number | undefined };

/** Real time is asked for nothing but this: microtasks are over when it calls back. */
const afterMicrotasks = globalThis.setImmediate;

/**
 * One thread of virtual time. Everything that waits is an event; the seed decides how long each takes and so their
 * order. Between two events all microtasks run, so the same seed gives the same run.
 */
export class Kernel {
  readonly random: () => number;
  readonly trace: string[] = [];
  nowMs: number;
  steps = 0;
  /** Whose code runs now: timers it starts belong to it. */
  current: SimProcess;
  readonly #startMs: number;
  readonly #isTraced: boolean;
  #events: SimEvent[] = [];
  #orders = 0;

  constructor(options: { readonly seed: number; readonly startMs: number; readonly isTraced: boolean }) {
    this.random = createRandom(options.seed);
    this.nowMs = options.startMs;
    this.#startMs = options.startMs;
    this.#isTraced = options.isTraced;
    this.current = this.newProcess('world');
  }

  newProcess(name: string, { skewMs = 0, canBeHarmed = false } = {}): SimProcess {
    return { name, isAlive: true, stalledUntilMs: 0, skewMs, onDeath: new Set(), canBeHarmed };
  }

  between(min: number, max: number): number {
    return min + this.random() * (max - min);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new Error('There is nothing to pick from.');
    return item;
  }

  note(owner: SimProcess, text: string): void {
    if (!this.#isTraced) return;
    this.trace.push(
      `${((this.nowMs - this.#startMs) / 1000).toFixed(3).padStart(10)} ${owner.name.padEnd(12)} ${text}`,
    );
  }

  /** Runs something of a process later. */
  after(delayMs: number, owner: SimProcess, run: () => void): SimEvent {
    const event = { order: (this.#orders += 1), atMs: this.nowMs + delayMs, owner, run, isCancelled: false };
    this.#push(event);
    return event;
  }

  /** Lets a process wait; never ends when it dies meanwhile. */
  wait(delayMs: number, owner: SimProcess): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, owner, resolve));
  }

  kill(owner: SimProcess): void {
    if (!owner.isAlive) return;
    owner.isAlive = false;
    this.note(owner, 'is dead');
    for (const told of owner.onDeath) told();
  }

  /** Runs events until nothing is left, the time is over, or `isOver` says so after an event. */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    const restore = this.#takeTimers();
    try {
      for (let event = this.#next(untilMs); event !== undefined; event = this.#next(untilMs)) {
        this.nowMs = Math.max(this.nowMs, event.atMs);
        this.steps += 1;
        this.current = event.owner;
        event.run();
        await new Promise<void>((resolve) => void afterMicrotasks(resolve));
        if (isOver()) return;
      }
    } finally {
      restore();
    }
  }

  #push(event: SimEvent): void {
    const heap = this.#events;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  #next(untilMs: number): SimEvent | undefined {
    const event = this.#pop();
    if (event === undefined || event.atMs <= untilMs) return event;
    this.#push(event);
    return undefined;
  }

  /** The next event of a process that lives and is not paused. */
  #pop(): SimEvent | undefined {
    for (;;) {
      const event = popFirst(this.#events);
      if (event === undefined) return undefined;
      if (event.isCancelled || !event.owner.isAlive) continue;
      if (event.owner.stalledUntilMs <= event.atMs) return event;
      event.atMs = event.owner.stalledUntilMs;
      this.#push(event);
    }
  }

  /** Timers of product code run on virtual time while the simulation runs. */
  #takeTimers(): () => void {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    const now = performance.now.bind(performance);
    const start = (run: () => void, delayMs: number, isRepeated: boolean): Timer => {
      const owner = this.current;
      const timer = {} as { event: SimEvent; repeatMs: number | undefined };
      const fire = (): void => {
        if (timer.repeatMs !== undefined) timer.event = this.after(timer.repeatMs, owner, fire);
        run();
      };
      timer.repeatMs = isRepeated ? delayMs : undefined;
      timer.event = this.after(delayMs, owner, fire);
      return timer;
    };
    const stop = (timer: Timer | undefined): void => {
      if (timer?.event === undefined) return;
      timer.repeatMs = undefined;
      timer.event.isCancelled = true;
    };
    const virtual = {
      setTimeout: (run: () => void, delayMs = 0) => start(run, delayMs, false),
      setInterval: (run: () => void, delayMs = 0) => start(run, delayMs, true),
      clearTimeout: stop,
      clearInterval: stop,
    };
    Object.assign(globalThis, virtual);
    performance.now = () => this.nowMs - this.#startMs;
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      performance.now = now;
    };
  }
}

const isBefore = (a: SimEvent, b: SimEvent): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function popFirst(heap: SimEvent[]): SimEvent | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    let child = heap[childAt];
    const right = heap[childAt + 1];
    if (child !== undefined && right !== undefined && isBefore(right, child)) {
      childAt += 1;
      child = right;
    }
    if (child === undefined || isBefore(last, child)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
  return first;
}
