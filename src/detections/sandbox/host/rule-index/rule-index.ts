/**
 * Stands before the interpreter: reads each record once in JavaScript, finds the rules that may have something to say to
 * it, and hands on only those records with those rules. Runs in the tenant's own process, on the tenant's own plan.
 */
import { isAscii } from 'node:buffer';
import { Candidates, type Mode } from './candidates.ts';
import { parsePlan, type PlanSpec } from './plan.ts';

/** Hands a request to the interpreter and returns its answer. */
type Run = (header: Uint8Array, body: Uint8Array) => Uint8Array;

type Request = { readonly header: Uint8Array; readonly body: Uint8Array };

type Evaluate = {
  readonly kind: 'evaluate';
  readonly logType: string;
  readonly index?: Mode | 'off';
  /** Rules that run on every record whatever the plan says. */
  readonly always?: readonly number[];
  /** Runs every rule on every record and says what the index would have missed. */
  readonly verify?: boolean;
  /** Rules that are left out of this request. */
  readonly skip?: readonly number[];
};

/** The part of an answer that a sample is checked against. */
type Found = { readonly record: number; readonly rule: number };

const noBytes = new Uint8Array(0);
const emptyList = Buffer.from('[]');
const [listStart, comma, listEnd] = [Buffer.from('['), Buffer.from(','), Buffer.from(']')] as const;
/** More log types than a tenant is likely to have at work in turn: a plan that is forgotten is analysed anew. */
const plansMax = 1024;
const missesMax = 1000;
const failureLengthMax = 200;
const newline = 0x0a;

type Learnt = { readonly plan: PlanSpec | undefined; readonly failure?: string };

type Prepared = Learnt & { readonly candidates: Map<Mode, Candidates> };

/** Records left to look at, each with the number of its set of rules. */
class Selection {
  readonly records: number[] = [];
  readonly chosen: number[] = [];
  readonly sets: (readonly number[])[] = [];
  readonly #setByKey = new Map<string, number>();
  readonly #parts: Uint8Array[] = [];

  /** How many events were left with 0, 1, 2 … rules. */
  readonly histogram: number[] = [0];

  skip(): void {
    this.histogram[0] = (this.histogram[0] ?? 0) + 1;
  }

  add(record: number, line: Uint8Array, rules: readonly number[]): void {
    const key = rules.join();
    let chosen = this.#setByKey.get(key);
    if (chosen === undefined) {
      chosen = this.sets.length;
      this.sets.push(rules);
      this.#setByKey.set(key, chosen);
    }
    while (this.histogram.length <= rules.length) this.histogram.push(0);
    this.histogram[rules.length] = (this.histogram[rules.length] ?? 0) + 1;
    this.records.push(record);
    this.chosen.push(chosen);
    this.#parts.push(this.#parts.length === 0 ? listStart : comma, line);
  }

  /** The records as one JSON list. */
  body(): Uint8Array {
    if (this.#parts.length === 0) return emptyList;
    this.#parts.push(listEnd);
    return Buffer.concat(this.#parts);
  }
}

class RuleIndex {
  readonly #run: Run;
  readonly #prepared = new Map<string, Prepared>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Learns the plan of a log type; says how many rules it has, which of them run on every record, or why there is none. */
  prepare(logType: string): {
    readonly rules: number;
    readonly alwaysRun: readonly number[];
    readonly failure?: string;
  } {
    const { plan, failure } = this.#of(logType);
    const always = plan?.rules.filter(({ strict }) => plan.formulas[strict]?.op === 'true') ?? [];
    return {
      rules: plan?.rules.length ?? 0,
      alwaysRun: always.map(({ rule }) => rule),
      ...(failure !== undefined && { failure }),
    };
  }

  /** Evaluates what the index leaves of a request, or all of it where there is no index. */
  evaluate(request: Evaluate, { header, body }: Request): Uint8Array {
    const mode = request.index ?? 'off';
    const prepared = mode === 'off' ? undefined : this.#of(request.logType);
    if (mode === 'off' || prepared?.plan === undefined) return this.#run(header, body);
    const { plan } = prepared;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    if (!plan.rules.some((rule) => plan.formulas[rule[mode]]?.op !== 'true')) {
      const rules = plan.rules.filter(({ rule }) => request.skip?.includes(rule) !== true).length;
      return withKey(this.#run(header, body), 'rulesPerEvent', [...new Array<number>(rules).fill(0), linesOf(bytes)]);
    }
    const candidates = prepared.candidates.get(mode) ?? new Candidates(plan, mode);
    prepared.candidates.set(mode, candidates);
    const selection = select(candidates, bytes, request.always ?? []);
    if (request.verify === true) {
      const answer = this.#run(header, body);
      return withKey(answer, 'missed', missedBy(selection, answer, mode === 'strict'));
    }
    const { records, chosen, sets } = selection;
    const narrowed = Buffer.from(JSON.stringify({ ...request, candidates: { records, chosen, sets } }));
    return withKey(this.#run(narrowed, selection.body()), 'rulesPerEvent', selection.histogram);
  }

  #of(logType: string): Prepared {
    const known = this.#prepared.get(logType);
    if (known !== undefined) {
      // The one used longest ago stands first.
      this.#prepared.delete(logType);
      this.#prepared.set(logType, known);
      return known;
    }
    const oldest = this.#prepared.keys().next().value;
    if (this.#prepared.size >= plansMax && oldest !== undefined) this.#prepared.delete(oldest);
    const prepared: Prepared = { ...this.#learn(logType), candidates: new Map() };
    this.#prepared.set(logType, prepared);
    return prepared;
  }

  /** Without a plan every rule runs, which is never wrong. */
  #learn(logType: string): Learnt {
    try {
      const answer = this.#run(Buffer.from(JSON.stringify({ kind: 'plan', logType })), noBytes);
      const data: unknown = JSON.parse(Buffer.from(answer).toString('utf8'));
      if (isFailure(data)) return { plan: undefined, failure: String(data.failure).slice(0, failureLengthMax) };
      return { plan: parsePlan(data) };
    } catch (error) {
      return { plan: undefined, failure: String(error).slice(0, failureLengthMax) };
    }
  }
}

const isFailure = (data: unknown): data is { readonly failure: unknown } =>
  typeof data === 'object' && data !== null && 'failure' in data;

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Python reads some texts that JavaScript does not, NaN among them: such a record goes to every rule.
    return undefined;
  }
}

function select(candidates: Candidates, body: Buffer, always: readonly number[]): Selection {
  const selection = new Selection();
  const encoding = isAscii(body) ? 'latin1' : 'utf8';
  let record = 0;
  for (let start = 0; start < body.length; record++) {
    const found = body.indexOf(newline, start);
    const end = found === -1 ? body.length : found;
    if (end > start) {
      const rules = candidates.of(parseLine(body.toString(encoding, start, end)));
      const all = always.length === 0 ? rules : [...new Set([...rules, ...always])].toSorted((a, b) => a - b);
      if (all.length === 0) selection.skip();
      else selection.add(record, body.subarray(start, end), all);
    }
    start = end + 1;
  }
  return selection;
}

function linesOf(body: Buffer): number {
  let lines = 0;
  for (let start = 0; start < body.length; lines++) {
    const found = body.indexOf(newline, start);
    start = found === -1 ? body.length : found + 1;
  }
  return lines;
}

/** Records and rules of a complete answer that the index would have left out. */
function missedBy(
  { records, chosen, sets }: Selection,
  answer: Uint8Array,
  withErrors: boolean,
): readonly (readonly [number, number])[] {
  const data = JSON.parse(Buffer.from(answer).toString('utf8')) as Record<
    'matches' | 'errors',
    readonly Found[] | undefined
  >;
  const rulesByRecord = new Map(records.map((record, index) => [record, new Set(sets[chosen[index] ?? -1])]));
  return [...(data.matches ?? []), ...(withErrors ? (data.errors ?? []) : [])]
    .filter(({ record, rule }) => rulesByRecord.get(record)?.has(rule) !== true)
    .slice(0, missesMax)
    .map(({ record, rule }) => [record, rule] as const);
}

/** Adds a key to an object that is already text. */
function withKey(answer: Uint8Array, key: string, value: unknown): Uint8Array {
  return Buffer.concat([answer.subarray(0, -1), Buffer.from(`,${JSON.stringify(key)}:${JSON.stringify(value)}}`)]);
}

/** Answers requests, those to evaluate by way of the index. */
export function createAnswerer(run: Run): Run {
  const index = new RuleIndex(run);
  return (header, body) => {
    const request = JSON.parse(Buffer.from(header).toString('utf8'));
    if (request.kind === 'prepare') return Buffer.from(JSON.stringify(index.prepare(request.logType)));
    return request.kind === 'evaluate' ? index.evaluate(request, { header, body }) : run(header, body);
  };
}
