import type { Expr } from '../../plan/plan.ts';
import { arrayOf, booleanType, integerType, type SqlType, stringType, variantType } from '../../plan/type.ts';
import { comparable, convert, literal, literalText, toArray, toNumber, toText, unify } from '../coerce.ts';
import { accessPath } from '../bind-path.ts';
import {
  allArguments,
  argument,
  type Call,
  called,
  type FunctionDefinition,
  integerArgument,
  problem,
  scalar,
} from './call.ts';

const variantAt = (call: Call, index: number): Expr => convert(argument(call, index), variantType);
const arrayAt = (call: Call, index: number): Expr => toArray(argument(call, index), call.place);

const elementOf = (array: Expr): SqlType => (array.type.kind === 'array' ? array.type.element : variantType);

/** The value in the form of the elements of the list: what a cast to variant hides is looked at. */
function asElement(value: Expr, array: Expr, call: Call): Expr {
  const element = elementOf(array);
  const inner = value.node === 'convert' && value.type.kind === 'variant' ? value.expr : value;
  return convert(inner, element.kind === 'object' ? variantType : element, call.place);
}

/** Lists whose elements are objects are compared as lists of JSON text. */
export const comparableArray = (array: Expr): Expr =>
  elementOf(array).kind === 'object' ? convert(array, arrayOf(variantType)) : array;

function twoArrays(call: Call): readonly [Expr, Expr] {
  return comparable(comparableArray(arrayAt(call, 0)), comparableArray(arrayAt(call, 1)), call.place);
}

export const pair = (name: string, type?: SqlType): FunctionDefinition =>
  scalar(2, 2, (call) => {
    const [a, b] = twoArrays(call);
    return called(call, name, [a, b], type ?? a.type);
  });

const whole = (name: string, type?: SqlType): FunctionDefinition =>
  scalar(1, 1, (call) => {
    const array = comparableArray(arrayAt(call, 0));
    return called(call, name, [array], type ?? array.type);
  });

const element = (name: string): FunctionDefinition =>
  scalar(1, 1, (call) => {
    const array = comparableArray(arrayAt(call, 0));
    return called(call, name, [array], elementOf(array));
  });

function construct(call: Call): Expr {
  const items = unify(allArguments(call), call.place);
  const type = items[0]?.type ?? variantType;
  return { node: 'list', items, type: arrayOf(type.kind === 'null' ? variantType : type) };
}

/** A function of a list and one more value, in either order. */
export function withElement(name: string, order: 'list first' | 'value first', type?: SqlType): FunctionDefinition {
  return scalar(2, 2, (call) => {
    const [list, value] = order === 'list first' ? [0, 1] : [1, 0];
    const array = comparableArray(arrayAt(call, list));
    return called(call, name, [array, asElement(argument(call, value), array, call)], type ?? array.type);
  });
}

const arrays: Readonly<Record<string, FunctionDefinition>> = {
  ARRAY_CONTAINS: withElement('ARRAY_CONTAINS', 'value first', booleanType),
  ARRAY_POSITION: withElement('ARRAY_POSITION', 'value first', integerType),
  ARRAY_APPEND: withElement('ARRAY_APPEND', 'list first'),
  ARRAY_REMOVE: withElement('ARRAY_REMOVE', 'list first'),
  ARRAYS_OVERLAP: pair('ARRAYS_OVERLAP', booleanType),
  ARRAY_INTERSECTION: pair('ARRAY_INTERSECTION'),
  ARRAY_EXCEPT: pair('ARRAY_EXCEPT'),
  ARRAY_CAT: pair('ARRAY_CAT'),
  ARRAY_SIZE: scalar(1, 1, (call) => called(call, 'ARRAY_SIZE', [arrayAt(call, 0)], integerType)),
  ARRAY_COMPACT: whole('ARRAY_COMPACT'),
  ARRAY_DISTINCT: whole('ARRAY_DISTINCT'),
  ARRAY_SORT: whole('ARRAY_SORT'),
  ARRAY_MIN: element('ARRAY_MIN'),
  ARRAY_MAX: element('ARRAY_MAX'),
  ARRAY_TO_STRING: scalar(2, 2, (call) =>
    called(
      call,
      'ARRAY_TO_STRING',
      [convert(arrayAt(call, 0), arrayOf(stringType)), toText(argument(call, 1))],
      stringType,
    ),
  ),
  ARRAY_SLICE: scalar(3, 3, (call) => {
    const array = comparableArray(arrayAt(call, 0));
    return called(
      call,
      'ARRAY_SLICE',
      [array, literal(integerArgument(call, 1), integerType), literal(integerArgument(call, 2), integerType)],
      array.type,
    );
  }),
  ARRAY_CONSTRUCT: scalar(0, 1000, construct),
  ARRAY_CONSTRUCT_COMPACT: scalar(0, 1000, (call) => {
    const list = construct(call);
    return called(call, 'ARRAY_COMPACT', [list], list.type);
  }),
};

function get(call: Call): Expr {
  const base = argument(call, 0);
  const key = argument(call, 1);
  const text = literalText(key);
  return accessPath(base, [text ?? convert(toNumber(key, call.place), integerType)], call.place);
}

/** `a.b[0].c`, as GET_PATH takes it. */
function pathKeys(call: Call, text: string): readonly (string | number)[] {
  const keys = [...text.matchAll(/\["([^"]+)"\]|\[(\d+)\]|([^.[\]:]+)/g)];
  if (keys.length === 0) throw problem(call, `"${text}" is not a path.`);
  return keys.map(([, quoted, index, plain]) => (index === undefined ? (quoted ?? plain ?? '') : Number(index)));
}

function getPath(call: Call): Expr {
  const path = literalText(argument(call, 1));
  if (path === undefined) throw problem(call, 'the path must be a text written in the statement.');
  const keys = pathKeys(call, path).map((key) => (typeof key === 'number' ? literal(key, integerType) : key));
  return accessPath(argument(call, 0), keys, call.place);
}

function objectConstruct(call: Call): Expr {
  if (call.isStar) throw problem(call, '"*" is not supported here.', 'Name the columns.');
  if (call.nodes.length % 2 !== 0) throw problem(call, 'keys and values come in pairs.');
  const args = allArguments(call).map((expr, index) => (index % 2 === 0 ? toText(expr) : convert(expr, variantType)));
  return called(call, 'OBJECT_CONSTRUCT', args, variantType);
}

const parse = scalar(1, 1, (call) => {
  const value = argument(call, 0);
  if (value.type.kind === 'variant' && value.node !== 'path')
    return called(call, 'PARSE_JSON', [toText(value)], variantType);
  return called(call, 'PARSE_JSON', [toText(value)], variantType);
});

/** Functions of JSON and of lists. */
export const jsonFunctions: Readonly<Record<string, FunctionDefinition>> = {
  ...arrays,
  PARSE_JSON: parse,
  TRY_PARSE_JSON: parse,
  TO_JSON: scalar(1, 1, (call) => called(call, 'TO_JSON', [variantAt(call, 0)], stringType)),
  TO_ARRAY: scalar(1, 1, (call) => arrayAt(call, 0)),
  GET: scalar(2, 2, get),
  GET_PATH: scalar(2, 2, getPath),
  OBJECT_KEYS: scalar(1, 1, (call) => called(call, 'OBJECT_KEYS', [variantAt(call, 0)], arrayOf(stringType))),
  OBJECT_CONSTRUCT: scalar(0, 200, objectConstruct),
  OBJECT_CONSTRUCT_KEEP_NULL: scalar(0, 200, objectConstruct),
  TYPEOF: scalar(1, 1, (call) => called(call, 'TYPEOF', [variantAt(call, 0)], stringType)),
  IS_ARRAY: scalar(1, 1, (call) => called(call, 'IS_ARRAY', [variantAt(call, 0)], booleanType)),
  IS_OBJECT: scalar(1, 1, (call) => called(call, 'IS_OBJECT', [variantAt(call, 0)], booleanType)),
  AS_VARCHAR: scalar(1, 1, (call) => toText(variantAt(call, 0))),
};
