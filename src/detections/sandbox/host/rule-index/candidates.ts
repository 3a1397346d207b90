/**
 * Which rules an event must be shown to. Everything errs to the side of running a rule: what cannot be told counts as
 * possible, and an event that is not understood goes to all rules.
 */
import { createAtom } from './atoms.ts';
import type { PlanSpec } from './plan.ts';
import { type Cursor, createSubjects, type Subject } from './subjects.ts';
import { createLookup, isMapping, type Json } from './values.ts';

export type Mode = 'strict' | 'matches';

type Holds = () => boolean;

const always: Holds = () => true;
const never: Holds = () => false;

/** Values whose dispatch is remembered, and steps of it; beyond either all are forgotten and learnt anew, with less depth. */
const valuesMax = 4096;
const nodesMax = 512;
/** Fields that are asked one after another before what is left of the formulas is evaluated. */
const depthMax = 4;
/** A further field is asked only where it may decide something for so many rules. */
const rulesWorthAsking = 6;
/** So many values that were never seen before, a quarter of all, and the field is no longer asked. */
const strangersMax = 128;

/** A member at the top of the event, and the tests that its value alone decides. */
type Field = { readonly read: () => unknown; readonly atoms: readonly number[] };

/** Stands for each value that is an object or a list. */
const nested = Symbol('nested');

type RuleLeft = PlanSpec['rules'][number];

/** A step of the dispatch: the rules that are left, and the field whose value tells where to go on. */
type Node = {
  readonly rules: readonly RuleLeft[];
  readonly decided: ReadonlyMap<number, boolean>;
  readonly asked: ReadonlySet<Field>;
  field: Field | undefined;
  readonly byValue: Map<unknown, Node>;
  readonly byAnswers: Map<string, Node>;
  visits: number;
  strangers: number;
  /** By rule what is still to be asked of the event, once this is where the dispatch ends. */
  holds: readonly Holds[] | undefined;
};

/** Subjects that are made from one member alone. */
function descendants(plan: PlanSpec, key: unknown): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [index, { base, kind, args }] of plan.subjects.entries()) {
    const isMember = kind === 'get' && plan.subjects[base]?.kind === 'event' && args[0] === key;
    if (isMember || (found.has(base) && kind !== 'elem')) found.add(index);
  }
  return found;
}

function fieldsOf(plan: PlanSpec, cursor: Cursor): readonly Field[] {
  const members = plan.subjects.filter(({ kind, base }) => kind === 'get' && plan.subjects[base]?.kind === 'event');
  const keys = new Set(members.flatMap(({ args: [key] }) => (typeof key === 'string' ? [key] : [])));
  return [...keys].map((key) => {
    const lookup = createLookup(key);
    const own = descendants(plan, key);
    const atoms = [...plan.atoms.keys()].filter((index) => own.has(plan.atoms[index]?.subject ?? -1));
    return { read: () => lookup(cursor.event as Json), atoms };
  });
}

class Compiler {
  readonly #plan: PlanSpec;
  readonly #atoms: readonly Holds[];
  readonly #made = new Map<number, Holds>();

  constructor(plan: PlanSpec, atoms: readonly Holds[]) {
    this.#plan = plan;
    this.#atoms = atoms;
  }

  /** What remains of a formula once some atoms are decided; formulas without such an atom are shared. */
  compile(number: number, decided: ReadonlyMap<number, boolean>, touched: readonly boolean[]): Holds {
    const isShared = touched[number] !== true;
    const made = isShared ? this.#made.get(number) : undefined;
    if (made !== undefined) return made;
    const holds = this.#make(number, decided, touched);
    if (isShared) this.#made.set(number, holds);
    return holds;
  }

  #make(number: number, decided: ReadonlyMap<number, boolean>, touched: readonly boolean[]): Holds {
    const { op, parts } = this.#plan.formulas[number] ?? { op: 'true', parts: [] };
    if (op === 'true') return always;
    if (op === 'false') return never;
    if (op === 'atom') {
      const answer = decided.get(parts[0] ?? -1);
      if (answer !== undefined) return answer ? always : never;
      return this.#atoms[parts[0] ?? -1] ?? always;
    }
    const ends = op === 'and' ? never : always;
    const kids: Holds[] = [];
    for (const part of parts) {
      const kid = this.compile(part, decided, touched);
      if (kid === ends) return ends;
      if (kid !== always && kid !== never) kids.push(kid);
    }
    return joined(op === 'and', kids);
  }
}

function joined(isAnd: boolean, kids: readonly Holds[]): Holds {
  const [first, second] = kids;
  if (first === undefined) return isAnd ? always : never;
  if (second === undefined) return first;
  if (kids.length === 2) return isAnd ? () => first() && second() : () => first() || second();
  return isAnd ? () => kids.every((kid) => kid()) : () => kids.some((kid) => kid());
}

function createAtoms(plan: PlanSpec, subjects: readonly Subject[], cursor: Cursor): readonly Holds[] {
  return plan.atoms.map((spec) => {
    const may = createAtom(spec);
    const subject = subjects[spec.subject];
    if (subject === undefined) return always;
    const { read, readMany } = subject;
    let stamp = -1;
    let answer = true;
    return () => {
      if (stamp === cursor.stamp) return answer;
      answer = readMany === undefined ? may(read()) : (readMany()?.some(may) ?? true);
      stamp = cursor.stamp;
      return answer;
    };
  });
}

/** The index of one log type at work. */
export class Candidates {
  readonly #plan: PlanSpec;
  readonly #mode: Mode;
  readonly #cursor: Cursor = { event: undefined, stamp: 0 };
  readonly #atoms: readonly Holds[];
  readonly #fields: readonly Field[];
  readonly #compiler: Compiler;
  readonly #touched: readonly boolean[];
  readonly #everything: readonly number[];
  #root: Node;
  #depth = depthMax;
  #nodes = 0;
  #values = 0;

  constructor(plan: PlanSpec, mode: Mode) {
    this.#plan = plan;
    this.#mode = mode;
    this.#atoms = createAtoms(plan, createSubjects(plan.subjects, this.#cursor), this.#cursor);
    this.#fields = fieldsOf(plan, this.#cursor);
    this.#compiler = new Compiler(plan, this.#atoms);
    const decidable = new Set(this.#fields.flatMap(({ atoms }) => atoms));
    const touched: boolean[] = [];
    for (const { op, parts } of plan.formulas)
      touched.push(op === 'atom' ? decidable.has(parts[0] ?? -1) : parts.some((part) => touched[part] === true));
    this.#touched = touched;
    this.#everything = plan.rules.map(({ rule }) => rule);
    this.#root = this.#nodeOf(plan.rules, new Map(), new Set());
  }

  /** Rules that may have something to say to a parsed event, in the order of the plan. */
  of(event: unknown): readonly number[] {
    if (!isMapping(event)) return this.#everything;
    this.#cursor.event = event;
    this.#cursor.stamp += 1;
    const node = this.#dispatch();
    const { rules } = node;
    const holds = (node.holds ??= rules.map((rule) => this.#left(rule, node.decided)));
    let found: number[] | undefined;
    for (let index = 0; index < holds.length; index++) {
      if (holds[index]?.() === false) continue;
      const rule = rules[index];
      if (rule !== undefined) (found ??= []).push(rule.rule);
    }
    return found ?? none;
  }

  #left(rule: RuleLeft, decided: Node['decided']): Holds {
    return this.#compiler.compile(rule[this.#mode], decided, this.#touched);
  }

  /** Goes from field to field; a value that is an object or a list decides nothing that could be remembered. */
  #dispatch(): Node {
    if (this.#nodes > nodesMax || this.#values > valuesMax) this.#forget();
    let node = this.#root;
    while (node.field !== undefined) {
      const found = node.field.read();
      const value = typeof found === 'object' && found !== null ? nested : found;
      node.visits += 1;
      node = node.byValue.get(value) ?? this.#learn(node, node.field, value);
    }
    return node;
  }

  /** Values that decide the same atoms in the same way lead to the same step. */
  #learn(node: Node, field: Field, value: unknown): Node {
    node.strangers += 1;
    if (node.strangers > strangersMax && node.strangers * 4 > node.visits) node.field = undefined;
    const atoms = value === nested ? [] : field.atoms;
    const answers = atoms.map((atom) => this.#atoms[atom]?.() ?? true);
    const key = value === nested ? 'nested' : answers.map(Number).join('');
    let next = node.byAnswers.get(key);
    if (next === undefined) {
      const decided = new Map(node.decided);
      for (const [index, atom] of atoms.entries()) decided.set(atom, answers[index] ?? true);
      const rules = node.rules.filter((rule) => this.#left(rule, decided) !== never);
      next = this.#nodeOf(rules, decided, new Set([...node.asked, field]));
      node.byAnswers.set(key, next);
    }
    node.byValue.set(value, next);
    this.#values += 1;
    return next;
  }

  #nodeOf(rules: readonly RuleLeft[], decided: Node['decided'], asked: Node['asked']): Node {
    this.#nodes += 1;
    const field = asked.size < this.#depth ? this.#mostTelling(rules, decided, asked) : undefined;
    return { rules, decided, asked, field, byValue: new Map(), byAnswers: new Map(), visits: 0, strangers: 0, holds: undefined }; // prettier-ignore
  }

  /** The field that the formulas of most rules still ask for. */
  #mostTelling(rules: readonly RuleLeft[], decided: Node['decided'], asked: Node['asked']): Field | undefined {
    const open = rules.map((rule) => this.#openAtoms(rule[this.#mode], decided));
    let best: Field | undefined;
    let most = rulesWorthAsking - 1;
    for (const field of this.#fields) {
      if (asked.has(field)) continue;
      const count = open.filter((atoms) => field.atoms.some((atom) => atoms.has(atom))).length;
      if (count > most) [best, most] = [field, count];
    }
    return best;
  }

  /** Atoms that a formula depends on; parts that are decided already are not looked into. */
  #openAtoms(formula: number, decided: Node['decided']): ReadonlySet<number> {
    const found = new Set<number>();
    const seen = new Set<number>();
    const visit = (number: number): void => {
      const { op, parts } = this.#plan.formulas[number] ?? { op: 'true', parts: [] };
      if (seen.has(number)) return;
      seen.add(number);
      if (op === 'atom') {
        if (!decided.has(parts[0] ?? -1)) found.add(parts[0] ?? -1);
        return;
      }
      const left = this.#compiler.compile(number, decided, this.#touched);
      if (left !== always && left !== never) for (const part of parts) visit(part);
    };
    visit(formula);
    return found;
  }

  #forget(): void {
    this.#depth = Math.max(1, this.#depth - 1);
    this.#nodes = 0;
    this.#values = 0;
    this.#root = this.#nodeOf(this.#plan.rules, new Map(), new Set());
  }
}

const none: readonly number[] = [];
