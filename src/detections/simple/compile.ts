import type { ExpressionScalar, KeySpecifier, MatchExpression } from '../content/types/match-expression.ts';
import { type Condition, conditions, isNetwork } from './conditions.ts';
import { SimpleError } from './simple-error.ts';
import { type Getter, getterOf, pathGetter } from './values.ts';

/** Match expressions become closures, once per revision; no Python is involved. */

export type Predicate = (event: unknown) => boolean;
type Path = readonly (string | number)[];

type Mode = {
  /** Filters: a field that is absent from the event lets it pass. */
  readonly isFilter: boolean;
};

const countMatching = (predicates: readonly Predicate[], event: unknown): number =>
  predicates.reduce((count, predicate) => count + (predicate(event) ? 1 : 0), 0);

const combinators: Readonly<Record<string, (parts: readonly Predicate[]) => Predicate>> = {
  All: (parts) => (event) => parts.every((part) => part(event)),
  Any: (parts) => (event) => parts.some((part) => part(event)),
  OnlyOne: (parts) => (event) => countMatching(parts, event) === 1,
  None: (parts) => (event) => !parts.some((part) => part(event)),
};
const filterCombinators = new Set(['All', 'Any']);

const isKey = (value: ExpressionScalar | KeySpecifier): value is KeySpecifier => typeof value === 'object';

function compileCombinator(expression: MatchExpression, path: Path, mode: Mode): Predicate | undefined {
  const used = Object.keys(combinators).filter((name) => Object.hasOwn(expression, name));
  const [name] = used;
  if (name === undefined) return undefined;
  if (Object.keys(expression).length > 1)
    throw new SimpleError('combinator', path, `"${name}" stands alone in its expression`);
  if (mode.isFilter && !filterCombinators.has(name))
    throw new SimpleError('notInFilter', path, `a filter combines with All and Any, not with ${name}`);
  const children = expression[name as 'All' | 'Any' | 'OnlyOne' | 'None'] ?? [];
  const parts = children.map((child, index) => compileExpression(child, [...path, name, index], mode));
  return combinators[name]?.(parts);
}

/** Checks the value against what the condition needs. */
function wantedValue(condition: Condition, expression: MatchExpression, path: Path): unknown {
  const { Value, Values } = expression;
  if (condition.needs === 'list') {
    if (Values === undefined || Values.length === 0 || Values.some(isKey) || Value !== undefined)
      throw new SimpleError('keyValues', path, `${condition.name} needs Values, a list of texts, numbers or booleans`);
    if (new Set(Values.map((value) => typeof value)).size > 1)
      throw new SimpleError('wrongType', [...path, 'Values'], 'the Values must be of one type');
    return Values;
  }
  if (condition.needs === 'nothing') {
    if (Value !== undefined || Values !== undefined)
      throw new SimpleError('existence', path, `${condition.name} takes no Value`);
    return undefined;
  }
  if (Value === undefined || Values !== undefined)
    throw new SimpleError('keyValue', path, `${condition.name} needs a Value`);
  const at = [...path, 'Value'];
  if (condition.needs === 'number' && typeof Value !== 'number')
    throw new SimpleError('wrongType', at, `${condition.name} needs a number`);
  if ((condition.needs === 'string' || condition.needs === 'cidr') && typeof Value !== 'string')
    throw new SimpleError('needsString', at, `${condition.name} needs a text`);
  if (condition.needs === 'cidr' && !isNetwork(String(Value)))
    throw new SimpleError('wrongType', at, `"${Value}" is no network such as 10.0.0.0/8`);
  return Value;
}

const elementCounts: Readonly<Record<string, (matching: number, all: number) => boolean>> = {
  AllElements: (matching, all) => matching === all,
  AnyElement: (matching) => matching > 0,
  NoElement: (matching) => matching === 0,
  OnlyOneElement: (matching) => matching === 1,
};

function compileElements(condition: Condition, get: Getter, expression: MatchExpression, path: Path): Predicate {
  const { Expressions } = expression;
  if (Expressions === undefined || Expressions.length === 0)
    throw new SimpleError('listComprehension', path, `${condition.name} needs Expressions`);
  const matches = compileAll(Expressions, [...path, 'Expressions'], { isFilter: false });
  const accepts = elementCounts[condition.name];
  return (event) => {
    const { value } = get(event);
    const items = Array.isArray(value) ? value : [];
    return accepts?.(items.filter((item) => matches(item)).length, items.length) ?? false;
  };
}

function compileMultiKey(condition: Condition, expression: MatchExpression, path: Path): Predicate {
  const { Values = [] } = expression;
  const comparable = ['any', 'string', 'number'].includes(condition.needs) && condition.group !== 'elements';
  const keys = Values.filter(isKey);
  if (!comparable || keys.length !== 2 || Values.length !== 2)
    throw new SimpleError('multiKey', path, 'without a key, Values must be exactly two keys to compare');
  const getters = keys.map((key, index) => getterOf(key, [...path, 'Values', index]));
  const [left, right] = getters;
  if (left === undefined || right === undefined)
    throw new SimpleError('keySpecifier', path, 'each of the two Values needs one of Key, DeepKey and KeyPath');
  return (event) => {
    const first = left(event);
    return condition.test(first.value, right(event).value, first.isPresent);
  };
}

/** The place of a row of an enrichment table in the event; several rows count as a list. */
function enrichmentGetter(expression: MatchExpression, path: Path): Getter | undefined {
  const { Enrichment } = expression;
  if (Enrichment === undefined) return undefined;
  const { Table, Selector, FieldPath } = Enrichment;
  if (Table === '' || Selector === '' || FieldPath === '')
    throw new SimpleError('enrichment', path, 'Enrichment needs Table, Selector and FieldPath');
  const tables = pathGetter('p_enrichment', path);
  const field = pathGetter(FieldPath, [...path, 'Enrichment', 'FieldPath']);
  const table = getterOf({ Key: Table }, path);
  const selector = getterOf({ Key: Selector }, path);
  return (event) => {
    const row = selector?.(table?.(tables(event).value).value) ?? { value: null, isPresent: false };
    return Array.isArray(row.value)
      ? { value: row.value.map((item) => field(item).value), isPresent: true }
      : field(row.value);
  };
}

/** A negation must hold for all of several values, anything else for one of them. */
function testing(condition: Condition, get: Getter, wanted: unknown, isSpread: boolean, mode: Mode): Predicate {
  return (event) => {
    const { value, isPresent } = get(event);
    if (mode.isFilter && !isPresent) return true;
    if (!isSpread || !Array.isArray(value) || condition.group === 'list')
      return condition.test(value, wanted, isPresent);
    return condition.isNegated
      ? value.every((item) => condition.test(item, wanted, true))
      : value.some((item) => condition.test(item, wanted, true));
  };
}

function conditionOf({ Condition: name }: MatchExpression, path: Path): Condition {
  if (name === undefined)
    throw new SimpleError('malformedNode', path, 'an expression needs a Condition, or one of All, Any, OnlyOne, None');
  const condition = conditions.get(name);
  if (condition === undefined)
    throw new SimpleError('unknownCondition', [...path, 'Condition'], `"${name}" is not a condition`);
  return condition;
}

function refuseInFilter(expression: MatchExpression, condition: Condition, path: Path): void {
  const isAllowed =
    (expression.KeyPath !== undefined || expression.Enrichment !== undefined) &&
    condition.group !== 'elements' &&
    condition.group !== 'absolute';
  if (!isAllowed)
    throw new SimpleError('notInFilter', path, 'a filter has a KeyPath or an Enrichment, a Condition and its Value');
}

function compileExpression(expression: MatchExpression, path: Path, mode: Mode): Predicate {
  const combined = compileCombinator(expression, path, mode);
  if (combined) return combined;
  const condition = conditionOf(expression, path);
  if (mode.isFilter) refuseInFilter(expression, condition, path);
  const key = getterOf(expression, path);
  const enrichment = enrichmentGetter(expression, path);
  if (key && enrichment) throw new SimpleError('enrichment', path, 'Enrichment does not go with a key');
  if (condition.group === 'absolute') {
    if (Object.keys(expression).length > 1)
      throw new SimpleError('absolute', path, `${condition.name} stands alone in its expression`);
    return () => condition.test(null, undefined, false);
  }
  const get = key ?? enrichment;
  if (get === undefined) {
    if (expression.Values !== undefined) return compileMultiKey(condition, expression, path);
    throw new SimpleError('keySpecifier', path, 'needs one of Key, DeepKey and KeyPath');
  }
  if (condition.group === 'elements') return compileElements(condition, get, expression, path);
  if (expression.Expressions !== undefined)
    throw new SimpleError('listComprehension', path, `Expressions do not go with ${condition.name}`);
  const isSpread = enrichment !== undefined || (expression.KeyPath?.includes('[*]') ?? false);
  return testing(condition, get, wantedValue(condition, expression, path), isSpread, mode);
}

function compileAll(expressions: readonly MatchExpression[], path: Path, mode: Mode): Predicate {
  const parts = expressions.map((expression, index) => compileExpression(expression, [...path, index], mode));
  return (event) => parts.every((part) => part(event));
}

/** A rule's `Detection`, or conditions of another key: true when every expression is. Throws SimpleError. */
export function compileDetection(expressions: readonly MatchExpression[], key = 'Detection'): Predicate {
  if (expressions.length === 0) throw new SimpleError('noRule', [key], 'the detection is empty');
  return compileAll(expressions, [key], { isFilter: false });
}

/** `InlineFilters`: which events a rule is run on. Throws SimpleError. */
export function compileFilters(expressions: readonly MatchExpression[]): Predicate {
  return compileAll(expressions, ['InlineFilters'], { isFilter: true });
}
