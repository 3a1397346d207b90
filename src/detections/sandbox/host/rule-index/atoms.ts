/** Tests of values, with Python's meaning. */
import type { AtomSpec, Scalar } from './plan.ts';
import { createLookup, isFalsy, isInexact, isMapping, unknown } from './values.ts';

/** True, false, or undefined when it cannot be told. */
type Test = (value: unknown) => boolean | undefined;

const asNumber = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value);
const isNumeric = (value: unknown): value is number | boolean =>
  typeof value === 'number' || typeof value === 'boolean';

function isIn(args: readonly Scalar[]): Test {
  const values = new Set<unknown>(args.map(asNumber));
  if (args.some(isInexact)) return cannotTell;
  return (value) => {
    if (typeof value === 'string' || value === null) return values.has(value);
    if (isInexact(value)) return undefined;
    return isNumeric(value) ? values.has(asNumber(value)) : false;
  };
}

function contains(wanted: Scalar | undefined): Test {
  if (wanted === undefined || isInexact(wanted)) return cannotTell;
  const lookup = typeof wanted === 'string' ? createLookup(wanted) : undefined;
  return (value) => {
    if (typeof value === 'string') return typeof wanted === 'string' ? value.includes(wanted) : undefined;
    if (Array.isArray(value)) {
      if (value.some(isInexact)) return undefined;
      return value.some((item) => asNumber(item) === asNumber(wanted));
    }
    return isMapping(value) && lookup !== undefined ? lookup(value) !== undefined : false;
  };
}

const kinds: ReadonlyMap<unknown, Test> = new Map<unknown, Test>([
  ['str', (value) => typeof value === 'string'],
  ['number', isNumeric],
  ['bool', (value) => typeof value === 'boolean'],
  ['map', isMapping],
  ['list', Array.isArray],
]);
const cannotTell: Test = () => undefined;

function ordered(test: string, limit: Scalar | undefined): Test {
  if (typeof limit !== 'number' || isInexact(limit)) return cannotTell;
  return (value) => {
    if (!isNumeric(value) || isInexact(value)) return undefined;
    const number = Number(value);
    switch (test) {
      case 'lt':
        return number < limit;
      case 'le':
        return number <= limit;
      case 'gt':
        return number > limit;
      default:
        return number >= limit;
    }
  };
}

const texts = (args: readonly Scalar[]): readonly string[] => args.filter((item) => typeof item === 'string');

function plainTest(test: string, args: readonly Scalar[]): Test {
  const [first] = args;
  switch (test) {
    case 'in':
      return isIn(args);
    case 'truthy':
      return (value) => !isFalsy(value);
    case 'is':
      return (value) => value === first;
    case 'type':
      return kinds.get(first) ?? cannotTell;
    case 'has':
      return contains(first);
    case 'starts':
      return (value) => (typeof value === 'string' ? texts(args).some((item) => value.startsWith(item)) : undefined);
    case 'ends':
      return (value) => (typeof value === 'string' ? texts(args).some((item) => value.endsWith(item)) : undefined);
    case 'within':
      return (value) => (typeof value === 'string' && typeof first === 'string' ? first.includes(value) : undefined);
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return ordered(test, first);
    default:
      return cannotTell;
  }
}

/** Whether an atom may hold for a value: true unless it is known not to. */
export function createAtom({ test, args, wanted }: AtomSpec): (value: unknown) => boolean {
  const plain = plainTest(test, args);
  return (value) => {
    if (value === unknown) return true;
    const answer = plain(value);
    return answer === undefined || answer === wanted;
  };
}
