import { SqlProblem } from '../language/sql-problem.ts';
import type { Expr, Operator } from '../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  floatType,
  integerType,
  isTime,
  type SqlType,
  stringType,
  timestampType,
  typeName,
  variantType,
} from '../plan/type.ts';
import { bindFunction, callByName } from './bind-call.ts';
import { bindInterval, bindType, bindTypedString, bindValue } from './bind-literal.ts';
import { accessPath, type PathKey } from './bind-path.ts';
import { bindInList, bindInQuery, bindLike, bindRegexp } from './bind-match.ts';
import type { Binder, Place } from './binder.ts';
import { bindAccess } from './clickhouse/bind-access.ts';
import type { Dialect } from './dialect.ts';
import { cast, comparable, convert, literal, nullOf, toNumber, toText, unify } from './coerce.ts';
import { identifierOf, listOf, nodeOf, placeOf, refuseParts, tagged } from './node.ts';
import { resolve } from './scope.ts';

const comparisons: Readonly<Record<string, Operator>> = {
  Eq: '=',
  NotEq: '<>',
  Lt: '<',
  LtEq: '<=',
  Gt: '>',
  GtEq: '>=',
};
const arithmetic: Readonly<Record<string, Operator>> = {
  Plus: '+',
  Minus: '-',
  Multiply: '*',
  Divide: '/',
  Modulo: '%',
};

const operation = (operator: Operator, args: readonly Expr[], type: SqlType): Expr => ({
  node: 'operator',
  operator,
  args,
  type,
});
const isTrue = (expr: Expr, node: unknown): Expr => convert(expr, booleanType, placeOf(node));

function bindArithmetic(operator: Operator, left: Expr, right: Expr, node: unknown, dialect: Dialect): Expr {
  const place = placeOf(node);
  const [a, b] = [left.type, right.type];
  if (b.kind === 'interval' && (operator === '+' || operator === '-')) {
    const time = isTime(a) ? left : convert(left, timestampType, place);
    return operation(operator, [convert(time, timestampType), right], timestampType);
  }
  if (a.kind === 'interval' && operator === '+') return bindArithmetic(operator, right, left, node, dialect);
  if (isTime(a) && !isTime(b) && (operator === '+' || operator === '-')) {
    // A number beside a date counts days.
    const amount = convert(toNumber(right, place), integerType);
    const unit = a.kind === 'date' ? 'day' : dialect.timestampUnit;
    return operation(operator, [left, { node: 'interval', amount, unit, type: { kind: 'interval' } }], a);
  }
  if (isTime(a) && isTime(b) && operator === '-')
    return {
      node: 'call',
      name: 'DATEDIFF',
      args: [right, left].map((expr) => convert(expr, timestampType)),
      unit: a.kind === 'date' && b.kind === 'date' ? 'day' : dialect.timestampUnit,
      type: integerType,
    };
  if (a.kind === 'array' || b.kind === 'array' || isTime(a) || isTime(b))
    throw new SqlProblem(`"${operator}" cannot join a ${typeName(a)} and a ${typeName(b)}.`, { place });
  const [x, y] = [toNumber(left, place), toNumber(right, place)];
  const isWhole = operator !== '/' && x.type.kind === 'integer' && y.type.kind === 'integer';
  return operation(operator, [x, y], isWhole ? integerType : floatType);
}

function bindBinary(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const { tag } = tagged(node['op']);
  const [left, right] = [binder.expr(node['left'], at), binder.expr(node['right'], at)];
  if (tag === 'And' || tag === 'Or')
    return operation(
      tag === 'And' ? 'and' : 'or',
      [isTrue(left, node['left']), isTrue(right, node['right'])],
      booleanType,
    );
  if (tag === 'StringConcat') return operation('||', [toText(left), toText(right)], stringType);
  const comparison = comparisons[tag];
  if (comparison !== undefined) return operation(comparison, comparable(left, right, placeOf(node)), booleanType);
  const operator = arithmetic[tag];
  if (operator !== undefined) return bindArithmetic(operator, left, right, node, binder.dialect);
  throw new SqlProblem(`the operator ${tag} is not supported.`, { place: placeOf(node) });
}

function bindUnary(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const { tag } = tagged(node['op']);
  const expr = binder.expr(node['expr'], at);
  if (tag === 'Not' || tag === 'BangNot') return operation('not', [isTrue(expr, node['expr'])], booleanType);
  const number = toNumber(expr, placeOf(node));
  if (tag === 'Plus') return number;
  if (tag === 'Minus') return operation('negate', [number], number.type);
  throw new SqlProblem(`the operator ${tag} is not supported.`, { place: placeOf(node) });
}

function bindCase(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const operand =
    node['operand'] === undefined || node['operand'] === null ? undefined : binder.expr(node['operand'], at);
  const pairs = listOf(node['conditions']).map((item) => {
    const { condition, result } = nodeOf(item);
    const when = binder.expr(condition, at);
    const test =
      operand === undefined
        ? isTrue(when, condition)
        : operation('=', comparable(operand, when, placeOf(condition)), booleanType);
    return { test, result: binder.expr(result, at) };
  });
  const last = node['else_result'];
  const otherwise = last === undefined || last === null ? nullOf({ kind: 'null' }) : binder.expr(last, at);
  const values = unify([...pairs.map(({ result }) => result), otherwise], placeOf(node));
  const type = values.find((value) => value.type.kind !== 'null')?.type ?? { kind: 'null' };
  return {
    node: 'case',
    branches: pairs.map(({ test }, index) => [test, values[index] ?? otherwise] as const),
    otherwise: values.at(-1) ?? otherwise,
    type,
  };
}

function bindName(parts: readonly unknown[], at: Place): Expr {
  const names = parts.map(identifierOf);
  const { expr, rest } = resolve(at.scope, names);
  return accessPath(
    expr,
    rest.map(({ text }) => text),
    names[0]?.place,
  );
}

function bindPath(binder: Binder, body: unknown, at: Place): Expr {
  const { value, path } = nodeOf(body);
  const keys = listOf(nodeOf(path)['path']).map((step): PathKey => {
    const { tag, body: inner } = tagged(step);
    const { key } = nodeOf(inner);
    if (tag === 'Dot') return String(key);
    const expr = binder.expr(key, at);
    if (expr.node === 'literal' && typeof expr.value === 'string') return expr.value;
    return convert(toNumber(expr, placeOf(key)), integerType);
  });
  return accessPath(binder.expr(value, at), keys, placeOf(value));
}

function bindBetween(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const [expr, low, high] = [
    binder.expr(node['expr'], at),
    binder.expr(node['low'], at),
    binder.expr(node['high'], at),
  ];
  const within = operation(
    'and',
    [
      operation('>=', comparable(expr, low, placeOf(node['low'])), booleanType),
      operation('<=', comparable(expr, high, placeOf(node['high'])), booleanType),
    ],
    booleanType,
  );
  return node['negated'] === true ? operation('not', [within], booleanType) : within;
}

/** `a IS TRUE` and the like never give NULL. */
function bindIs(binder: Binder, body: unknown, at: Place, wanted: boolean, isNegated: boolean): Expr {
  const expr = isTrue(binder.expr(body, at), body);
  const differs = operation('is distinct', [expr, literal(wanted, booleanType)], booleanType);
  return isNegated ? differs : operation('not', [differs], booleanType);
}

const nullTest = (binder: Binder, body: unknown, at: Place, operator: 'is null' | 'is not null'): Expr =>
  operation(operator, [binder.expr(body, at)], booleanType);

function bindDistinct(binder: Binder, body: unknown, at: Place, isNegated: boolean): Expr {
  const [left, right] = listOf(body).map((item) => binder.expr(item, at));
  if (left === undefined || right === undefined) throw new SqlProblem('two sides are needed.');
  const differs = operation('is distinct', comparable(left, right, placeOf(body)), booleanType);
  return isNegated ? operation('not', [differs], booleanType) : differs;
}

function bindList(binder: Binder, nodes: readonly unknown[], at: Place): Expr {
  const items = unify(nodes.map((item) => binder.expr(item, at)));
  const type = items[0]?.type ?? variantType;
  return { node: 'list', items, type: arrayOf(type.kind === 'null' ? variantType : type) };
}

function bindOneInterval(body: unknown): Expr {
  const [first, ...more] = bindInterval(body);
  if (first === undefined || more.length > 0)
    throw new SqlProblem('an interval of several units is not supported.', {
      place: placeOf(body),
      suggestion: 'Add them one after the other.',
    });
  return first;
}

function bindCast(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  refuseParts(node, { format: 'A format in a cast' });
  const expr = binder.expr(node['expr'], at);
  const type = bindType(node['data_type']);
  const place = placeOf(node);
  if (type.kind === 'variant') return expr.type.kind === 'variant' ? expr : { node: 'convert', expr, type };
  if (type.kind === 'array') return expr.type.kind === 'array' ? expr : convert(expr, type, place);
  if (type.kind === 'string' && expr.node === 'literal' && typeof expr.value === 'number')
    return literal(String(expr.value), stringType);
  return cast(expr, type, place);
}

type Bind = (binder: Binder, body: unknown, at: Place) => Expr;

const kinds: Readonly<Record<string, Bind>> = {
  Identifier: (_binder, body, at) => bindName([body], at),
  CompoundIdentifier: (_binder, body, at) => bindName(listOf(body), at),
  JsonAccess: bindPath,
  Nested: (binder, body, at) => binder.expr(body, at),
  Value: (_binder, body) => bindValue(body),
  TypedString: (_binder, body) => bindTypedString(body),
  Interval: (_binder, body) => bindOneInterval(body),
  BinaryOp: bindBinary,
  UnaryOp: bindUnary,
  Function: bindFunction,
  Case: bindCase,
  Cast: bindCast,
  Between: bindBetween,
  Like: (binder, body, at) => bindLike(binder, body, at, false),
  ILike: (binder, body, at) => bindLike(binder, body, at, true),
  RLike: bindRegexp,
  InList: bindInList,
  InSubquery: bindInQuery,
  IsNull: (binder, body, at) => nullTest(binder, body, at, 'is null'),
  IsNotNull: (binder, body, at) => nullTest(binder, body, at, 'is not null'),
  IsTrue: (binder, body, at) => bindIs(binder, body, at, true, false),
  IsNotTrue: (binder, body, at) => bindIs(binder, body, at, true, true),
  IsFalse: (binder, body, at) => bindIs(binder, body, at, false, false),
  IsNotFalse: (binder, body, at) => bindIs(binder, body, at, false, true),
  IsDistinctFrom: (binder, body, at) => bindDistinct(binder, body, at, false),
  IsNotDistinctFrom: (binder, body, at) => bindDistinct(binder, body, at, true),
  Array: (binder, body, at) => bindList(binder, listOf(nodeOf(body)['elem']), at),
  Exists(binder, body, at) {
    const node = nodeOf(body);
    const exists: Expr = { node: 'exists', query: binder.query(node['subquery'], at), type: booleanType };
    return node['negated'] === true ? operation('not', [exists], booleanType) : exists;
  },
  Subquery(binder, body, at) {
    const query = binder.query(body, at);
    const [column, ...more] = query.columns;
    if (column === undefined || more.length > 0)
      throw new SqlProblem('a query used as a value must have one column.', { place: placeOf(body) });
    return { node: 'subquery', query, type: column.type };
  },
  Extract: (binder, body, at) => {
    const node = nodeOf(body);
    const word = tagged(node['field']);
    const name = word.tag === 'Custom' ? identifierOf(word.body).text : word.tag;
    return callByName(binder, 'DATE_PART', [{ Identifier: { value: name } }, node['expr']], at);
  },
  Ceil: (binder, body, at) => bindRounding(binder, 'CEIL', body, at),
  Floor: (binder, body, at) => bindRounding(binder, 'FLOOR', body, at),
  Substring: (binder, body, at) => {
    const node = nodeOf(body);
    return callByName(binder, 'SUBSTR', [node['expr'], node['substring_from'], node['substring_for']], at);
  },
  Trim: (binder, body, at) => {
    const node = nodeOf(body);
    refuseParts(node, { trim_where: 'TRIM with a side', trim_characters: 'TRIM of several characters' });
    return callByName(binder, 'TRIM', [node['expr'], node['trim_what']], at);
  },
  CompoundFieldAccess: bindAccess,
  Position: (binder, body, at) => callByName(binder, 'CHARINDEX', [nodeOf(body)['expr'], nodeOf(body)['in']], at),
};

function bindRounding(binder: Binder, name: 'CEIL' | 'FLOOR', body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const { tag, body: scale } = tagged(node['field']);
  return callByName(binder, name, [node['expr'], ...(tag === 'Scale' ? [{ Value: scale }] : [])], at);
}

/** Binds one expression of the parser's tree. A kind of expression that is not listed is refused. */
export function bindExpression(binder: Binder, node: unknown, at: Place): Expr {
  const { tag, body } = tagged(node);
  const bind = kinds[tag];
  if (bind === undefined) throw new SqlProblem(`this expression (${tag}) is not supported.`, { place: placeOf(node) });
  return bind(binder, body, at);
}
