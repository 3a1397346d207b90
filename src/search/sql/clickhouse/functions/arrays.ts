import type { Expr } from '../../../plan/plan.ts';
import { arrayOf, booleanType, floatType, integerType, type SqlType, variantType } from '../../../plan/type.ts';
import { convert, literal, literalInteger, toArray, toNumber } from '../../coerce.ts';
import {
  argument,
  type Call,
  called,
  type FunctionDefinition,
  type Functions,
  integerArgument,
  problem,
  scalar,
} from '../../functions/call.ts';
import { comparableArray, pair, withElement } from '../../functions/json-functions.ts';
import { identifierOf, listOf, nodeOf, tagged } from '../../node.ts';
import { elementFromOne, sizeOf } from '../bind-access.ts';

const list = (call: Call, index: number): Expr => comparableArray(toArray(argument(call, index), call.place));
const elementOf = (array: Expr): SqlType => (array.type.kind === 'array' ? array.type.element : variantType);
const compared = (operator: '>' | '=', left: Expr, right: number): Expr => ({
  node: 'operator',
  operator,
  args: [left, literal(right, integerType)],
  type: booleanType,
});
/** A condition that is NULL does not hold. */
const certainly = (test: Expr): Expr => ({
  node: 'call',
  name: 'COALESCE',
  args: [convert(test, booleanType), literal(false, booleanType)],
  type: booleanType,
});
const not = (test: Expr): Expr => ({ node: 'operator', operator: 'not', args: [test], type: booleanType });

function parameterNames(params: unknown): readonly string[] {
  const { tag, body } = tagged(params);
  const nodes = tag === 'Many' ? listOf(body) : [body];
  return nodes.map((node) => identifierOf(nodeOf(node)['name']).text);
}

/** `x -> x + 1` over the items of lists. Its body may name columns of the row too. */
function lambda(call: Call, arrays: readonly Expr[], change: (body: Expr) => Expr): Expr {
  const { tag, body } = tagged(call.nodes[0]);
  if (tag !== 'Lambda') throw problem(call, 'the first argument is a function.', `Write ${call.name}(x -> …, list).`);
  const node = nodeOf(body);
  const names = parameterNames(node['params']);
  if (names.length !== arrays.length)
    throw problem(call, `the function takes ${names.length} values, but there are ${arrays.length} lists.`);
  const parameters = names.map(() => call.binder.fresh('p'));
  const columns = names.map((name, index) => ({
    name,
    expr: {
      node: 'parameter' as const,
      name: parameters[index] ?? '',
      type: elementOf(arrays[index] ?? { node: 'list', items: [], type: arrayOf(variantType) }),
    },
  }));
  const scope = { tables: [{ name: '#lambda', path: [], columns }], parent: call.at.scope };
  const clause = { name: 'a function of a list', allowsAggregates: false, allowsWindows: false };
  const value = change(call.binder.expr(node['body'], { ...call.at, scope, clause }));
  if (value.type.kind === 'interval') throw problem(call, 'an interval cannot be kept in a list.');
  const kept = value.type.kind === 'object' ? convert(value, variantType) : value;
  return { node: 'lambda', parameters, body: kept, type: kept.type };
}

const listsAfterFirst = (call: Call): readonly Expr[] => call.nodes.slice(1).map((_, index) => list(call, index + 1));

const map = scalar(2, 10, (call) => {
  const arrays = listsAfterFirst(call);
  const each = lambda(call, arrays, (body) => body);
  const element = each.type.kind === 'null' ? variantType : each.type;
  return called(call, 'ARRAY_MAP', [each, ...arrays], arrayOf(element));
});

function filtered(call: Call, change: (test: Expr) => Expr = certainly): Expr {
  const arrays = listsAfterFirst(call);
  return called(
    call,
    'ARRAY_FILTER',
    [lambda(call, arrays, change), ...arrays],
    arrays[0]?.type ?? arrayOf(variantType),
  );
}

const slice = scalar(2, 3, (call) => {
  const array = list(call, 0);
  const from = integerArgument(call, 1);
  if (from === 0) throw problem(call, 'places in a list count from 1.');
  const length = call.nodes.length > 2 ? [literal(integerArgument(call, 2), integerType)] : [];
  return called(call, 'ARRAY_SLICE_FROM_ONE', [array, literal(from, integerType), ...length], array.type);
});

/** The place of a value counted from 1; 0 when it is not in the list. */
const indexOf = (position: FunctionDefinition | undefined): FunctionDefinition =>
  scalar(2, 2, (call) => {
    if (position === undefined) throw new Error('The catalogue has no ARRAY_POSITION.');
    const found = position.bind({ ...call, nodes: call.nodes.toReversed() });
    const place: Expr = { node: 'operator', operator: '+', args: [found, literal(1, integerType)], type: integerType };
    return called(call, 'COALESCE', [place, literal(0, integerType)], integerType);
  });

const total = (name: string, type: (element: SqlType) => SqlType): FunctionDefinition =>
  scalar(1, 1, (call) => {
    const array = list(call, 0);
    const element = elementOf(array);
    const numbers = element.kind === 'integer' || element.kind === 'float' ? array : convert(array, arrayOf(floatType));
    return called(call, name, [numbers], type(elementOf(numbers)));
  });

const one = (name: string): FunctionDefinition =>
  scalar(1, 1, (call) => {
    const array = list(call, 0);
    return called(call, name, [array], array.type);
  });

const element = scalar(2, 2, (call) => {
  const place = argument(call, 1);
  const number = literalInteger(place) === undefined ? toNumber(place, call.place) : place;
  return elementFromOne(argument(call, 0), number, call.nodes[1]);
});

/** Functions of lists under the names that ClickHouse gives them. */
export const arraysOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  array: snowflake.get('ARRAY_CONSTRUCT'),
  has: withElement('ARRAY_CONTAINS', 'list first', booleanType),
  hasAny: snowflake.get('ARRAYS_OVERLAP'),
  hasAll: pair('ARRAY_HAS_ALL', booleanType),
  indexOf: indexOf(snowflake.get('ARRAY_POSITION')),
  arrayElement: element,
  arrayConcat: snowflake.get('ARRAY_CAT'),
  arrayDistinct: snowflake.get('ARRAY_DISTINCT'),
  arrayUniq: scalar(1, 1, (call) => sizeOf(called(call, 'ARRAY_DISTINCT', [list(call, 0)], list(call, 0).type))),
  arrayIntersect: snowflake.get('ARRAY_INTERSECTION'),
  arrayPushBack: snowflake.get('ARRAY_APPEND'),
  arraySort: snowflake.get('ARRAY_SORT'),
  arrayReverse: one('ARRAY_REVERSE'),
  arrayReverseSort: one('ARRAY_REVERSE_SORT'),
  arrayMin: snowflake.get('ARRAY_MIN'),
  arrayMax: snowflake.get('ARRAY_MAX'),
  arraySum: total('ARRAY_SUM', (type) => type),
  arrayAvg: total('ARRAY_AVG', () => floatType),
  arraySlice: slice,
  arrayMap: map,
  arrayFilter: scalar(2, 10, (call) => filtered(call)),
  arrayCount: scalar(2, 10, (call) => sizeOf(filtered(call))),
  arrayExists: scalar(2, 10, (call) => compared('>', sizeOf(filtered(call)), 0)),
  arrayAll: scalar(2, 10, (call) => compared('=', sizeOf(filtered(call, (test) => not(certainly(test)))), 0)),
  arrayFirst: scalar(2, 10, (call) => elementFromOne(filtered(call), literal(1, integerType), call.nodes[0])),
});
