/**
 * Which rules an event must be shown to. Everything errs to the side of running a rule: what cannot be told counts as
 * possible, and an event that is not understood goes to all rules.
 */
import { createAtom } from './atoms.ts';
import type { FormulaSpec, PlanSpec } from './plan.ts';
import { type Cursor, createSubjects, type Subject } from './subjects.ts';
import { unknown } from './values.ts';

export type Mode = 'strict' | 'matches';

type Holds = () => boolean;

const always: Holds = () => true;
const never: Holds = () => false;

/** Values of the primary path whose dispatch is remembered; beyond it all are forgotten and learnt anew. */
const valuesMax = 4096;
/** Different sets of rules that values of the primary path lead to. */
const branchesMax = 512;

/** Rules left for a value of the primary path, each with what is still to be asked of the event. */
type Branch = { readonly rules: readonly number[]; readonly holds: readonly Holds[] };

/** Subjects that a formula can only hold for when they have one of a few values. */
function decisive(formulas: readonly FormulaSpec[], plan: PlanSpec): readonly ReadonlySet<number>[] {
  const found: Set<number>[] = [];
  for (const { op, parts } of formulas) {
    const kids = parts.map((part) => found[part] ?? new Set<number>());
    const atom = op === 'atom' ? plan.atoms[parts[0] ?? -1] : undefined;
    if (atom !== undefined) found.push(new Set(atom.test === 'in' && atom.wanted ? [atom.subject] : []));
    else if (op === 'and') found.push(new Set(kids.flatMap((kid) => [...kid])));
    else if (op === 'or')
      found.push(new Set([...(kids[0] ?? [])].filter((item) => kids.every((kid) => kid.has(item)))));
    else found.push(new Set());
  }
  return found;
}

/** The path that decides most rules: a field at the top of the event. */
function primaryOf(plan: PlanSpec, mode: Mode): number {
  const sets = decisive(plan.formulas, plan);
  const counts = new Map<number, number>();
  for (const rule of plan.rules)
    for (const subject of sets[rule[mode]] ?? []) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  const isTop = (subject: number) => plan.subjects[subject]?.kind === 'get' && plan.subjects[subject].base === 0;
  let best = -1;
  for (const [subject, count] of counts) if (isTop(subject) && count > (counts.get(best) ?? 0)) best = subject;
  return best;
}

/** Subjects that are made from the primary path alone. */
function descendants(plan: PlanSpec, primary: number): ReadonlySet<number> {
  const found = new Set<number>(primary === -1 ? [] : [primary]);
  for (const [index, { base, kind }] of plan.subjects.entries())
    if (found.has(base) && kind !== 'elem') found.add(index);
  return found;
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
  readonly #subjects: readonly Subject[];
  readonly #atoms: readonly Holds[];
  readonly #compiler: Compiler;
  readonly #primary: number;
  readonly #primaryAtoms: readonly number[];
  readonly #touched: readonly boolean[];
  readonly #branchByValue = new Map<unknown, Branch>();
  readonly #branches = new Map<string, Branch>();
  readonly #everything: readonly number[];

  constructor(plan: PlanSpec, mode: Mode) {
    this.#plan = plan;
    this.#mode = mode;
    this.#subjects = createSubjects(plan.subjects, this.#cursor);
    this.#atoms = createAtoms(plan, this.#subjects, this.#cursor);
    this.#compiler = new Compiler(plan, this.#atoms);
    this.#primary = primaryOf(plan, mode);
    const own = descendants(plan, this.#primary);
    this.#primaryAtoms = [...plan.atoms.keys()].filter((index) => own.has(plan.atoms[index]?.subject ?? -1));
    const decided = new Set(this.#primaryAtoms);
    const touched: boolean[] = [];
    for (const { op, parts } of plan.formulas)
      touched.push(op === 'atom' ? decided.has(parts[0] ?? -1) : parts.some((part) => touched[part] === true));
    this.#touched = touched;
    this.#everything = plan.rules.map(({ rule }) => rule);
  }

  /** Rules that may have something to say to a parsed event, in the order of the plan. */
  of(event: unknown): readonly number[] {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return this.#everything;
    this.#cursor.event = event;
    this.#cursor.stamp += 1;
    const { rules, holds } = this.#branch();
    let found: number[] | undefined;
    for (let index = 0; index < holds.length; index++) {
      if (holds[index]?.() === false) continue;
      const rule = rules[index];
      if (rule !== undefined) (found ??= []).push(rule);
    }
    return found ?? none;
  }

  #branch(): Branch {
    const value = this.#subjects[this.#primary]?.read();
    const isPlain = typeof value !== 'object' || value === null;
    const known = isPlain ? this.#branchByValue.get(value) : undefined;
    if (known !== undefined) return known;
    const isDecidable = isPlain && value !== unknown && value !== undefined;
    const branch = this.#branchOf(isDecidable);
    if (isPlain) {
      if (this.#branchByValue.size >= valuesMax) this.#branchByValue.clear();
      this.#branchByValue.set(value, branch);
    }
    return branch;
  }

  /** Values that decide the same atoms in the same way share a branch. */
  #branchOf(isDecidable: boolean): Branch {
    const decided = new Map<number, boolean>();
    if (isDecidable) for (const atom of this.#primaryAtoms) decided.set(atom, this.#atoms[atom]?.() ?? true);
    const key = isDecidable ? [...decided.values()].map(Number).join('') : 'open';
    const known = this.#branches.get(key);
    if (known !== undefined) return known;
    const rules: number[] = [];
    const holds: Holds[] = [];
    for (const rule of this.#plan.rules) {
      const left = this.#compiler.compile(rule[this.#mode], decided, this.#touched);
      if (left === never) continue;
      rules.push(rule.rule);
      holds.push(left);
    }
    if (this.#branches.size >= branchesMax) {
      this.#branches.clear();
      this.#branchByValue.clear();
    }
    const branch = { rules, holds };
    this.#branches.set(key, branch);
    return branch;
  }
}

const none: readonly number[] = [];
