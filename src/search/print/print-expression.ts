import type { Expr, FrameBound, OrderItem, Query, Window } from '../plan/plan.ts';
import type { SqlType } from '../plan/type.ts';
import { fingerprint } from '../plan/walk.ts';
import { convertText, exactNumber, extractText } from './conversions.ts';
import { engineFunctions, engineInterval } from './engine-functions.ts';
import { engineNull, engineTime, engineType, identifier, quote } from './engine-type.ts';

/** What expressions need from the printer of queries. */
export type ExpressionPrinter = { query(query: Query): string; parameter(): string };

/** A key inside an object: the engine writes a dot in it as `%2E` (`json_type_escape_dots_in_keys`). */
const keyText = (key: string): string => identifier(key.replaceAll('.', '%2E'));
const pathText = (base: string, keys: readonly string[]): string => [base, ...keys.map(keyText)].join('.');
const subObject = (base: string, keys: readonly string[]): string => `${base}.^${keys.map(keyText).join('.')}`;
const objectJson = (base: string, keys: readonly string[]): string =>
  `nullIf(toJSONString(${subObject(base, keys)}), '{}')`;

/** A value inside an object column. The engine keeps each key as a column of its own, whose type may differ by row. */
function printPath(base: string, keys: readonly string[], type: SqlType): string {
  const path = pathText(base, keys);
  switch (type.kind) {
    case 'string':
      return `CAST(${path}, 'Nullable(String)')`;
    case 'object':
      return subObject(base, keys);
    case 'variant':
      return `coalesce(toJSONString(${path}), ${objectJson(base, keys)})`;
    case 'array':
      return extractText(`toJSONString(${path})`, '', type);
    case 'timestamp':
    case 'date':
      return convertText(`CAST(${path}, 'Nullable(String)')`, { kind: 'string' }, type);
    case 'null':
    case 'interval':
      return 'NULL';
    case 'integer':
    case 'float':
    case 'boolean':
      return `accurateCastOrNull(${path}, ${quote(engineType(type).replace(/^Nullable\((.*)\)$/, '$1'))})`;
  }
}

/** The text of an undeclared value: without the detour over JSON, so that an index on the column can help. */
function printPathText(base: string, keys: readonly string[], isScalarOnly: boolean): string {
  const path = pathText(base, keys);
  const text = `CAST(${path}, 'Nullable(String)')`;
  if (isScalarOnly) return text;
  return `coalesce(if(startsWith(dynamicType(${path}), 'Array'), toJSONString(${path}), ${text}), ${objectJson(base, keys)})`;
}

function printConvert(expr: Expr & { readonly node: 'convert' }, print: (expr: Expr) => string): string {
  const { expr: inner, type, isScalarOnly = false, isExact = false } = expr;
  if (isExact) {
    const { isExact: _, ...asText } = expr;
    return exactNumber(printConvert({ ...asText, type: { kind: 'string' } }, print));
  }
  if (inner.node === 'path' && inner.type.kind === 'variant' && type.kind !== 'variant' && type.kind !== 'array') {
    const text = printPathText(print(inner.base), inner.keys, isScalarOnly || type.kind !== 'string');
    return convertText(text, { kind: 'string' }, type);
  }
  return convertText(print(inner), inner.type, type);
}

function printExtract(
  { base, keys, type }: Expr & { readonly node: 'extract' },
  print: (expr: Expr) => string,
): string {
  const steps = keys.map((key) => {
    if (typeof key === 'string') return `, ${quote(key)}`;
    if (typeof key === 'number') return `, ${key < 0 ? 0 : key + 1}`;
    return `, assumeNotNull(${print(key)}) + 1`;
  });
  return extractText(convertText(print(base), base.type, { kind: 'variant' }), steps.join(''), type);
}

function printElement({ array, index }: Expr & { readonly node: 'element' }, print: (expr: Expr) => string): string {
  const place =
    index.node === 'literal' && typeof index.value === 'number' ? String(index.value + 1) : `${print(index)} + 1`;
  const isObject = array.type.kind === 'array' && array.type.element.kind === 'object';
  return isObject
    ? `nullIf(toJSONString(${print(array)}[${place}]), '{}')`
    : `arrayElementOrNull(${print(array)}, ${place})`;
}

function printNullTest(expr: Expr, isNegated: boolean, print: (expr: Expr) => string): string {
  const { kind } = expr.type;
  const not = isNegated ? 'NOT ' : '';
  // Lists and objects are never NULL for the engine: one that is not there is empty.
  if (kind === 'array') return `(${not}empty(${print(expr)}))`;
  const value = kind === 'object' ? `nullIf(toJSONString(${print(expr)}), '{}')` : print(expr);
  return `(${value} IS ${not}NULL)`;
}

function printOperator(
  { operator, args }: Expr & { readonly node: 'operator' },
  print: (expr: Expr) => string,
): string {
  const [first] = args;
  if (first === undefined) throw new Error('An operator without arguments.');
  if (operator === 'is null' || operator === 'is not null')
    return printNullTest(first, operator === 'is not null', print);
  const [left = '', right = ''] = args.map(print);
  switch (operator) {
    case 'and':
    case 'or':
      return `(${left} ${operator.toUpperCase()} ${right})`;
    case 'not':
      return `(NOT ${left})`;
    case 'negate':
      return `(-${left})`;
    case '||':
      return `concat(${left}, ${right})`;
    case '%':
      return `(${left} % nullIf(${right}, 0))`;
    case '<>':
      return `(${left} != ${right})`;
    case 'is distinct':
      return `(NOT ifNull(${left} = ${right}, isNull(${left}) AND isNull(${right})))`;
    case '+':
    case '-':
    case '*':
    case '/':
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return `(${left} ${operator} ${right})`;
  }
}

export const printOrder = (items: readonly OrderItem[], print: (expr: Expr) => string): string =>
  items
    .map(({ expr, isDescending, nullsFirst }) => {
      const key = expr.type.kind === 'object' ? convertText(print(expr), expr.type, { kind: 'variant' }) : print(expr);
      return `${key}${isDescending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
    })
    .join(', ');

const bound = (value: FrameBound): string => {
  if (value.kind === 'current') return 'CURRENT ROW';
  return `${value.rows ?? 'UNBOUNDED'} ${value.kind.toUpperCase()}`;
};

function printWindow({ partitionBy, orderBy, frame }: Window, print: (expr: Expr) => string): string {
  const parts = [
    partitionBy.length > 0 ? `PARTITION BY ${partitionBy.map(print).join(', ')}` : '',
    orderBy.length > 0 ? `ORDER BY ${printOrder(orderBy, print)}` : '',
    frame === undefined ? '' : `${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${bound(frame.end)}`,
  ];
  return ` OVER (${parts.filter((part) => part !== '').join(' ')})`;
}

/** ARRAY_AGG … WITHIN GROUP (ORDER BY key): gathered with the key, sorted, and the key taken off. */
function printSortedList(
  value: Expr,
  expr: Expr & { readonly node: 'call' },
  print: (expr: Expr) => string,
  parameter: string,
): string {
  const [order] = expr.orderBy ?? [];
  if (order === undefined) throw new Error('A sorted list without an order.');
  const sort = order.isDescending ? 'arrayReverseSort' : 'arraySort';
  const over = expr.over === undefined ? '' : printWindow(expr.over, print);
  const text = print(value);
  if (expr.isDistinct || fingerprint(order.expr) === fingerprint(value))
    return `${sort}(${expr.isDistinct ? 'groupUniqArray' : 'groupArray'}(${text})${over})`;
  const pairs = `groupArrayIf(tuple(${text}, ${print(order.expr)}), isNotNull(${text}))${over}`;
  return `arrayMap(${parameter} -> ${parameter}.1, ${sort}(${parameter} -> ${parameter}.2, ${pairs}))`;
}

function printCall(expr: Expr & { readonly node: 'call' }, print: (expr: Expr) => string, parameter: string): string {
  const [value, separator] = expr.args;
  if (expr.orderBy !== undefined && expr.orderBy.length > 0 && value !== undefined) {
    if (expr.name === 'ARRAY_AGG') return printSortedList(value, expr, print, parameter);
    if (expr.name === 'LISTAGG' && separator !== undefined)
      return `arrayStringConcat(${printSortedList(value, expr, print, parameter)}, ${print(separator)})`;
  }
  const template = engineFunctions.get(expr.isDistinct ? `${expr.name}_DISTINCT` : expr.name);
  if (template === undefined) throw new Error(`The printer does not know the function ${expr.name}.`);
  return template({
    args: expr.args.map(print),
    types: expr.args.map(({ type }) => type),
    unit: expr.unit,
    over: expr.over === undefined ? '' : printWindow(expr.over, print),
    parameter,
  });
}

const isConstant = (expr: Expr): boolean => expr.node === 'literal' || expr.node === 'number' || expr.node === 'time';

function printIn({ expr, items, isNegated }: Expr & { readonly node: 'in' }, print: (expr: Expr) => string): string {
  const value = print(expr);
  const list = items.map(print);
  const test = items.every(isConstant)
    ? `${value} IN (${list.join(', ')})`
    : list.map((item) => `${value} = ${item}`).join(' OR ');
  return isNegated ? `(NOT (${test}))` : `(${test})`;
}

function printLiteral(value: string | number | boolean | null, type: SqlType): string {
  if (value === null) return engineNull(type);
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' && type.kind === 'float' && Number.isSafeInteger(value)) return `toFloat64(${value})`;
  return typeof value === 'number' && value < 0 ? `(${value})` : String(value);
}

/** The engine's text of an expression. Every kind of node is listed: one that is not would not compile. */
export function printExpression(expr: Expr, printer: ExpressionPrinter): string {
  const print = (inner: Expr): string => printExpression(inner, printer);
  switch (expr.node) {
    case 'literal':
      return printLiteral(expr.value, expr.type);
    case 'number':
      return expr.digits;
    case 'time':
      return engineTime(expr.at, expr.type);
    case 'column':
      return `${identifier(expr.table)}.${identifier(expr.name)}`;
    case 'path':
      return printPath(print(expr.base), expr.keys, expr.type);
    case 'extract':
      return printExtract(expr, print);
    case 'element':
      return printElement(expr, print);
    case 'item':
      return `tupleElement(${identifier(expr.flatten)}, ${{ key: 1, index: 2, value: 3 }[expr.part]})`;
    case 'operator':
      return printOperator(expr, print);
    case 'call':
      return printCall(expr, print, printer.parameter());
    case 'convert':
      return printConvert(expr, print);
    case 'case':
      return `multiIf(${[...expr.branches.flat(), expr.otherwise].map(print).join(', ')})`;
    case 'interval':
      return engineInterval(print(expr.amount), expr.unit);
    case 'lambda':
      return `(${expr.parameters.map(identifier).join(', ')}) -> ${print(expr.body)}`;
    case 'parameter':
      return identifier(expr.name);
    case 'list':
      return expr.items.length === 0 ? engineNull(expr.type) : `array(${expr.items.map(print).join(', ')})`;
    case 'in':
      return printIn(expr, print);
    case 'in query': {
      const test = `(${expr.args.map(print).join(', ')}) IN (${printer.query(expr.query)})`;
      return expr.isNegated ? `(NOT (${test}))` : `(${test})`;
    }
    case 'exists':
      return `(EXISTS (${printer.query(expr.query)}))`;
    case 'subquery':
      return `(${printer.query(expr.query)})`;
  }
}
