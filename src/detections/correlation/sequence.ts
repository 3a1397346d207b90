import type { CorrelationDetection } from '../content/types/correlation-rule.ts';
import { type Correlation, memberId, minuteMs, type Signal } from './signal.ts';

type Member = NonNullable<CorrelationDetection['Sequence']>[number];
type Transition = NonNullable<CorrelationDetection['Transitions']>[number];
/** The signals chosen for a step; the last one is when the step is complete. */
type Step = readonly Signal[];

/** A search through more combinations than this is given up: the rule is too wide for its window. */
const triesMax = 200_000;

const fieldsOf = ({ Match }: Transition): readonly [string, string] | undefined => {
  const [match] = Match ?? [];
  if (match === undefined) return undefined;
  return [match.On ?? match.From ?? '', match.On ?? match.To ?? ''];
};

/** Values that both sides have; undefined when the transition compares nothing. */
function sharedValues(transition: Transition, from: Signal, to: Signal): readonly string[] | undefined {
  const fields = fieldsOf(transition);
  if (fields === undefined) return undefined;
  const right = new Set(to.values.get(fields[1]) ?? []);
  return (from.values.get(fields[0]) ?? []).filter((value) => right.has(value));
}

class Search {
  readonly #detection: CorrelationDetection;
  readonly #byMember: ReadonlyMap<string, readonly Signal[]>;
  readonly #absent: ReadonlySet<string>;
  readonly #steps: readonly Member[];
  #tries = 0;

  constructor(detection: CorrelationDetection, signals: readonly Signal[]) {
    this.#detection = detection;
    const byMember = new Map<string, Signal[]>();
    for (const signal of signals) byMember.set(signal.member, [...(byMember.get(signal.member) ?? []), signal]);
    this.#byMember = byMember;
    const members = detection.Sequence ?? [];
    this.#absent = new Set(members.filter((member) => member.Absence === true).map(memberId));
    this.#steps = members.filter((member) => member.Absence !== true);
  }

  run(): readonly Correlation[] {
    const found = new Map<string, Correlation>();
    const first = this.#steps[0];
    if (first === undefined) return [];
    for (const step of this.#choices(first, -Infinity)) {
      const chain = this.#extend(new Map([[memberId(first), step]]), 1);
      if (chain === undefined) continue;
      const value = this.#valueOf(chain);
      if (!found.has(value)) found.set(value, { value, signals: [...chain.values()].flat() });
    }
    return [...found.values()];
  }

  /** Runs of as many signals as the step needs, none of them before the given time. */
  *#choices(member: Member, notBefore: number): Generator<Step> {
    const count = Math.max(1, member.MinMatchCount ?? 1);
    const signals = (this.#byMember.get(memberId(member)) ?? []).filter((signal) => signal.atMs >= notBefore);
    if (member.MaxMatchCount !== undefined && signals.length > member.MaxMatchCount) return;
    for (let end = count; end <= signals.length; end++) yield signals.slice(end - count, end);
  }

  #extend(chosen: ReadonlyMap<string, Step>, position: number): ReadonlyMap<string, Step> | undefined {
    this.#tries += 1;
    if (this.#tries > triesMax)
      throw new Error(`The sequence has more than ${triesMax} combinations in its window: narrow its rules down.`);
    const next = this.#steps[position];
    if (next === undefined) return this.#absencesHold(chosen) && this.#isInWindow(chosen) ? chosen : undefined;
    const previous = this.#steps[position - 1];
    const after = previous && chosen.get(memberId(previous))?.at(-1)?.atMs;
    for (const step of this.#choices(next, after ?? -Infinity)) {
      const longer = new Map([...chosen, [memberId(next), step]]);
      if (!this.#transitionsHold(longer, memberId(next))) continue;
      const chain = this.#extend(longer, position + 1);
      if (chain) return chain;
    }
    return undefined;
  }

  #frameMs({ WithinTimeFrameMinutes }: Transition): number {
    return (WithinTimeFrameMinutes ?? this.#detection.LookbackWindowMinutes) * minuteMs;
  }

  /** Every transition between chosen steps that ends or begins with the newest one. */
  #transitionsHold(chosen: ReadonlyMap<string, Step>, newest: string): boolean {
    return (this.#detection.Transitions ?? []).every((transition) => {
      if (transition.From !== newest && transition.To !== newest) return true;
      const [from, to] = [chosen.get(transition.From), chosen.get(transition.To)];
      if (from === undefined || to === undefined) return true;
      return from.every((left) => to.every((right) => this.#follows(transition, left, right)));
    });
  }

  #follows(transition: Transition, from: Signal, to: Signal): boolean {
    const distance = to.atMs - from.atMs;
    if (distance < 0 || distance > this.#frameMs(transition)) return false;
    const shared = sharedValues(transition, from, to);
    return shared === undefined || shared.length > 0;
  }

  /** What must not have happened before or after the chosen signals has not. */
  #absencesHold(chosen: ReadonlyMap<string, Step>): boolean {
    const transitions = this.#detection.Transitions ?? [];
    const inTransition = new Set(transitions.flatMap(({ From, To }) => [From, To]));
    for (const absent of this.#absent)
      if (!inTransition.has(absent) && (this.#byMember.get(absent)?.length ?? 0) > 0) return false;
    return transitions.every((transition) => {
      const unwantedTo = this.#absent.has(transition.To) ? this.#byMember.get(transition.To) : undefined;
      const unwantedFrom = this.#absent.has(transition.From) ? this.#byMember.get(transition.From) : undefined;
      const from = chosen.get(transition.From)?.at(-1);
      const to = chosen.get(transition.To)?.[0];
      if (from && unwantedTo?.some((signal) => this.#follows(transition, from, signal))) return false;
      return !(to && unwantedFrom?.some((signal) => this.#follows(transition, signal, to)));
    });
  }

  #isInWindow(chosen: ReadonlyMap<string, Step>): boolean {
    const times = [...chosen.values()].flat().map((signal) => signal.atMs);
    return Math.max(...times) - Math.min(...times) <= this.#detection.LookbackWindowMinutes * minuteMs;
  }

  #valueOf(chosen: ReadonlyMap<string, Step>): string {
    for (const transition of this.#detection.Transitions ?? []) {
      const [from, to] = [chosen.get(transition.From)?.[0], chosen.get(transition.To)?.[0]];
      const field = fieldsOf(transition)?.[0];
      const shared = from && to ? sharedValues(transition, from, to) : field && (from ?? to)?.values.get(field);
      if (shared?.[0] !== undefined) return shared[0];
    }
    return '';
  }
}

/** Signals one after the other, each transition within its time and over an equal value. */
export function correlateSequence(detection: CorrelationDetection, signals: readonly Signal[]): readonly Correlation[] {
  return new Search(detection, signals).run();
}
