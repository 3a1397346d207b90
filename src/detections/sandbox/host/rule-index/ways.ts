/** Through the index, or every rule on every record. The answers are the same. */
export type Way = 'indexed' | 'plain';

/** The latest looks at a way that count; its cost is the least of them, since what disturbs a look makes it dearer. */
const looksKept = 3;
/** Before the first decision both ways are looked at so often: the first time, nothing is compiled yet. */
const looksBefore = 2;
/** With fewer events what a request costs whatever it holds would be measured. */
const eventsMin = 32;
/** Chunks until the other way is looked at again: doubled each time that changes nothing. Few at first, since compilers go on warming up. */
const pauseFirst = 4;
const pauseMax = 512;
/** The other way must be cheaper by this much. */
const margin = 0.95;
/** When the chosen way becomes so much dearer the other is looked at at once. */
const drift = 1.5;

const otherThan = (way: Way): Way => (way === 'indexed' ? 'plain' : 'indexed');

/**
 * Decides whether the index of one log type pays. Where there are few rules, or nearly every event is left with one, it
 * costs more than it saves: each record is then read twice. What decides is the measured processor time per event of
 * both ways, in which everything lies: records left out, rules saved, and what those rules cost.
 */
export class Ways {
  readonly #costs: Record<Way, number[]> = { indexed: [], plain: [] };
  #chosen: Way = 'indexed';
  #isDecided = false;
  #pause = pauseFirst;
  #left = pauseFirst;
  #costThen = 0;

  /** The cheaper way, as far as is known. */
  get chosen(): Way {
    return this.#chosen;
  }

  /** The way of the next chunk: the cheaper one, or the one to look at. */
  next(): Way {
    if (this.#isDecided) return this.#left > 0 ? this.#chosen : otherThan(this.#chosen);
    return this.#costs.indexed.length < looksBefore ? 'indexed' : 'plain';
  }

  /** What a chunk cost. */
  note(way: Way, events: number, microseconds: number): void {
    if (events < eventsMin) return;
    const isOther = this.#isDecided && way !== this.#chosen;
    const looks = [microseconds / events, ...(isOther ? [] : this.#costs[way])].slice(0, looksKept);
    this.#costs[way] = looks;
    if (isOther) this.#decide();
    else if (this.#isDecided) {
      this.#left -= 1;
      if (Math.min(...looks) > drift * this.#costThen) this.#left = 0;
    } else if (this.#costs.indexed.length >= looksBefore && this.#costs.plain.length >= looksBefore) this.#decide();
  }

  #decide(): void {
    const other = otherThan(this.#chosen);
    const isChange = this.#costOf(other) < margin * this.#costOf(this.#chosen);
    if (isChange) this.#chosen = other;
    this.#pause = isChange || !this.#isDecided ? pauseFirst : Math.min(pauseMax, 2 * this.#pause);
    this.#left = this.#pause;
    this.#isDecided = true;
    this.#costThen = this.#costOf(this.#chosen);
  }

  #costOf(way: Way): number {
    return Math.min(...this.#costs[way]);
  }
}
