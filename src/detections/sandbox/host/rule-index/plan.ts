/**
 * The index of one log type as the interpreter hands it out. It comes from the tenant's own process, but is checked all
 * the same: a plan out of form means that every rule runs.
 */

export type Scalar = string | number | boolean | null;

/** How a value is read from an event; `base` is the number of an earlier subject, or -1 for the event itself. */
export type SubjectSpec = { readonly kind: string; readonly base: number; readonly args: readonly unknown[] };

export type AtomSpec = {
  readonly subject: number;
  readonly test: string;
  readonly args: readonly Scalar[];
  readonly wanted: boolean;
};

/** `and` and `or` name earlier formulas, `atom` one atom. */
type FormulaSpec = { readonly op: 'true' | 'false' | 'and' | 'or' | 'atom'; readonly parts: readonly number[] };

type RuleSpec = { readonly rule: number; readonly strict: number; readonly matches: number };

export type PlanSpec = {
  readonly subjects: readonly SubjectSpec[];
  readonly atoms: readonly AtomSpec[];
  readonly formulas: readonly FormulaSpec[];
  readonly rules: readonly RuleSpec[];
};

const sizeMax = 400_000;
const operators = new Set(['true', 'false', 'and', 'or', 'atom']);

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length <= sizeMax;
const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
const isNumber = (value: unknown, from: number, below: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= from && value < below;

function list<T>(value: unknown, parse: (item: unknown, index: number) => T): readonly T[] {
  if (!isList(value)) throw new TypeError('The index is out of form.');
  return value.map(parse);
}

function tuple(value: unknown, length: number): readonly unknown[] {
  if (!isList(value) || value.length !== length) throw new TypeError('The index is out of form.');
  return value;
}

function numberIn(value: unknown, from: number, below: number): number {
  if (!isNumber(value, from, below)) throw new TypeError('The index is out of form.');
  return value;
}

function scalar(value: unknown): Scalar {
  if (!isScalar(value)) throw new TypeError('The index is out of form.');
  return value;
}

function formula(item: unknown, index: number, atoms: number): FormulaSpec {
  const [op, ...parts] = list(item, (part) => part);
  if (typeof op !== 'string' || !operators.has(op)) throw new TypeError('The index is out of form.');
  const kind = op as FormulaSpec['op'];
  return { op: kind, parts: parts.map((part) => numberIn(part, 0, kind === 'atom' ? atoms : index)) };
}

/** Checks a plan; throws when it is out of form. */
export function parsePlan(data: unknown): PlanSpec {
  if (typeof data !== 'object' || data === null) throw new TypeError('The index is out of form.');
  const source = data as Record<string, unknown>;
  const subjects = list(source['subjects'], (item, index): SubjectSpec => {
    const [kind, base, args] = tuple(item, 3);
    if (typeof kind !== 'string') throw new TypeError('The index is out of form.');
    return { kind, base: numberIn(base, -1, index), args: list(args, (part) => part) };
  });
  const atoms = list(source['atoms'], (item): AtomSpec => {
    const [subject, test, args, wanted] = tuple(item, 4);
    if (typeof test !== 'string') throw new TypeError('The index is out of form.');
    return { subject: numberIn(subject, 0, subjects.length), test, args: list(args, scalar), wanted: wanted === true };
  });
  const formulas = list(source['formulas'], (item, index) => formula(item, index, atoms.length));
  const rules = list(source['rules'], (item): RuleSpec => {
    const [rule, strict, matches] = tuple(item, 3);
    const below = formulas.length;
    return {
      rule: numberIn(rule, 0, 1_000_000),
      strict: numberIn(strict, 0, below),
      matches: numberIn(matches, 0, below),
    };
  });
  return { subjects, atoms, formulas, rules };
}
