import { SqlProblem } from '../../language/sql-problem.ts';
import type { Expr } from '../../plan/plan.ts';
import { integerType } from '../../plan/type.ts';
import { accessPath } from '../bind-path.ts';
import type { Binder, Place } from '../binder.ts';
import { convert, literal, literalInteger, literalText, toArray, toNumber } from '../coerce.ts';
import { listOf, nodeOf, placeOf, tagged } from '../node.ts';

const sum = (operator: '+' | '-', left: Expr, right: Expr): Expr => ({
  node: 'operator',
  operator,
  args: [left, right],
  type: integerType,
});

export const sizeOf = (array: Expr): Expr => ({ node: 'call', name: 'ARRAY_SIZE', args: [array], type: integerType });

/** The element at a place counted from 1, or from the end when it is negative. One that is not there is NULL. */
export function elementFromOne(base: Expr, place: Expr, node: unknown): Expr {
  const index = literalInteger(place);
  if (index === undefined) {
    const number = convert(toNumber(place, placeOf(node)), integerType);
    return accessPath(base, [sum('-', number, literal(1, integerType))], placeOf(node));
  }
  if (index > 0) return accessPath(base, [literal(index - 1, integerType)], placeOf(node));
  if (index === 0) throw new SqlProblem('places in a list count from 1.', { place: placeOf(node) });
  const array = toArray(base, placeOf(node));
  return { ...accessPath(array, [sum('+', sizeOf(array), literal(index, integerType))], placeOf(node)) };
}

/** What lies at a key, or at a place counted from 1. */
export function accessFromOne(base: Expr, key: Expr, node: unknown): Expr {
  const text = literalText(key);
  return text === undefined ? elementFromOne(base, key, node) : accessPath(base, [text], placeOf(node));
}

/** `list[1]`, `object['key']`, `a.b[1].c`. */
export function bindAccess(binder: Binder, body: unknown, at: Place): Expr {
  const { root, access_chain: chain } = nodeOf(body);
  const steps = listOf(chain).map(tagged);
  const start = tagged(root);
  const names: unknown[] = start.tag === 'Identifier' ? [start.body] : [];
  const dotted = steps.findIndex(({ tag }) => tag !== 'Dot');
  // Keys with dots before the first bracket are part of the name: its first ones may be those of a table.
  const lead = names.length === 0 ? 0 : dotted < 0 ? steps.length : dotted;
  for (const step of steps.slice(0, lead)) names.push(nameOf(step.body));
  let value = binder.expr(names.length > 1 ? { CompoundIdentifier: names } : root, at);
  for (const { tag, body: step } of steps.slice(lead)) {
    if (tag === 'Dot') {
      value = accessPath(value, [String(nodeOf(nameOf(step))['value'])], placeOf(step));
      continue;
    }
    const { tag: kind, body: subscript } = tagged(step);
    if (kind !== 'Index') throw new SqlProblem('write arraySlice(list, from, length).', { place: placeOf(step) });
    const { index } = nodeOf(subscript);
    value = accessFromOne(value, binder.expr(index, at), index);
  }
  return value;
}

function nameOf(node: unknown): unknown {
  const { tag, body } = tagged(node);
  if (tag !== 'Identifier') throw new SqlProblem('a name is expected after the dot.', { place: placeOf(node) });
  return body;
}
