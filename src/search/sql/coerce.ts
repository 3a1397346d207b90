import { type Place, SqlProblem } from '../language/sql-problem.ts';
import { parseTime } from '../language/time-text.ts';
import type { Expr } from '../plan/plan.ts';
import {
  arrayOf,
  commonType,
  floatType,
  isNumber,
  isTime,
  type SqlType,
  sameType,
  stringType,
  typeName,
  variantType,
} from '../plan/type.ts';

export const nullOf = (type: SqlType): Expr => ({ node: 'literal', value: null, type });
export const literal = (value: string | number | boolean, type: SqlType): Expr => ({ node: 'literal', value, type });

/** The value of a literal text, seen through a cast to variant; undefined for anything else. */
export function literalText(expr: Expr): string | undefined {
  if (expr.node === 'convert' && expr.type.kind === 'variant') return literalText(expr.expr);
  return expr.node === 'literal' && typeof expr.value === 'string' ? expr.value : undefined;
}

/** The whole number that an expression spells out, with its sign. */
export function literalInteger(expr: Expr): number | undefined {
  if (expr.node === 'operator' && expr.operator === 'negate' && expr.args[0] !== undefined) {
    const inner = literalInteger(expr.args[0]);
    return inner === undefined ? undefined : -inner;
  }
  return expr.node === 'literal' && typeof expr.value === 'number' && Number.isInteger(expr.value)
    ? expr.value
    : undefined;
}

function convertLiteral(text: string, to: SqlType, place: Place | undefined): Expr | undefined {
  if (isTime(to)) {
    const at = parseTime(text);
    if (at === undefined)
      throw new SqlProblem(`"${text}" is not a time.`, {
        place,
        suggestion: "Write '2026-01-31 12:00:00' or '2026-01-31T12:00:00Z' (UTC).",
      });
    return { node: 'time', at, type: to };
  }
  if (isNumber(to)) {
    const trimmed = text.trim();
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed))
      throw new SqlProblem(`"${text}" is compared with a number, but is none.`, {
        place,
        suggestion: 'Cast the other side to text with ::string.',
      });
    return undefined;
  }
  if (to.kind === 'boolean') {
    if (/^(true|t|yes|y|on|1)$/i.test(text)) return literal(true, to);
    if (/^(false|f|no|n|off|0)$/i.test(text)) return literal(false, to);
    throw new SqlProblem(`"${text}" is compared with true or false, but is neither.`, {
      place,
      suggestion: 'Cast the other side to text with ::string.',
    });
  }
  return undefined;
}

/** The expression as a value of the type. What cannot be read as one becomes NULL when the query runs. */
export function convert(expr: Expr, to: SqlType, place?: Place): Expr {
  if (sameType(expr.type, to) && !(to.kind === 'variant' && expr.type.kind !== 'variant')) return expr;
  if (expr.type.kind === 'null') return nullOf(to);
  const text = expr.node === 'literal' && typeof expr.value === 'string' ? expr.value : undefined;
  const constant = text === undefined ? undefined : convertLiteral(text, to, place);
  if (constant !== undefined) return constant;
  // A cast to variant says nothing about the value: what was inside is what counts.
  const inner = expr.node === 'convert' && expr.type.kind === 'variant' ? expr.expr : undefined;
  if (inner !== undefined && (inner.type.kind === to.kind || (isNumber(inner.type) && isNumber(to))))
    return convert(inner, to, place);
  if (to.kind === 'interval' || expr.type.kind === 'interval')
    throw new SqlProblem(`a ${typeName(expr.type)} cannot become a ${typeName(to)}.`, { place });
  if (isTime(to) && (expr.type.kind === 'boolean' || expr.type.kind === 'array'))
    throw new SqlProblem(`a ${typeName(expr.type)} is no time.`, { place });
  return { node: 'convert', expr, type: to };
}

/** Like `convert`, for a cast that the user wrote: a literal that cannot be read becomes NULL as any other value does. */
export function cast(expr: Expr, to: SqlType, place?: Place): Expr {
  try {
    return convert(expr, to, place);
  } catch (error) {
    if (!(error instanceof SqlProblem) || literalText(expr) === undefined) throw error;
    return { node: 'convert', expr, type: to };
  }
}

export const toText = (expr: Expr): Expr => convert(expr, stringType);
export const toNumber = (expr: Expr, place?: Place): Expr =>
  isNumber(expr.type) ? expr : convert(expr, floatType, place);

/** An array of something: JSON text is read as one. */
export function toArray(expr: Expr, place?: Place): Expr {
  if (expr.type.kind === 'array') return expr;
  if (expr.type.kind === 'variant') {
    const shape = expr.type.shape;
    return convert(
      expr,
      shape?.kind === 'array' && shape.element.kind !== 'object' ? shape : arrayOf(variantType),
      place,
    );
  }
  if (expr.type.kind === 'object' || expr.type.kind === 'null')
    return convert(convert(expr, variantType), arrayOf(variantType), place);
  throw new SqlProblem(`a list is expected here, but this is a ${typeName(expr.type)}.`, {
    place,
    suggestion: 'Use SPLIT to make a list of a text, or PARSE_JSON for JSON in a text.',
  });
}

/** Both sides as values that can be compared. Throws SqlProblem explaining the clash when they cannot. */
export function comparable(left: Expr, right: Expr, place: Place | undefined): readonly [Expr, Expr] {
  const [a, b] = [left.type, right.type];
  if (a.kind === 'null' || b.kind === 'null') return [left, right];
  if (a.kind === 'interval' && b.kind === 'interval') return [left, right];
  if (sameType(a, b))
    return a.kind === 'object' ? [convert(left, variantType), convert(right, variantType)] : [left, right];
  if (isNumber(a) && isNumber(b)) return [left, right];
  if (isTime(a) && isTime(b)) return [convert(left, { kind: 'timestamp' }), convert(right, { kind: 'timestamp' })];
  if (a.kind === 'array' && b.kind === 'array') {
    const both = commonType(a, b) ?? arrayOf(variantType);
    return [convert(left, both), convert(right, both)];
  }
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const)
    if (one.kind === 'array' && (other.kind === 'string' || isNumber(other)))
      throw new SqlProblem(`a list is compared with a ${typeName(other)}.`, {
        place,
        suggestion: `Write ARRAY_CONTAINS(value::variant, list) to look for a value in a list.`,
      });
  return comparableScalars(left, right, place);
}

/** The more exact side decides: a text beside a time is read as a time, beside a number as a number. */
function comparableScalars(left: Expr, right: Expr, place: Place | undefined): readonly [Expr, Expr] {
  const rank: readonly SqlType['kind'][] = [
    'timestamp',
    'date',
    'boolean',
    'integer',
    'float',
    'string',
    'variant',
    'object',
    'array',
  ];
  const [a, b] = [left.type, right.type];
  if ((a.kind === 'boolean' && isNumber(b)) || (b.kind === 'boolean' && isNumber(a)))
    return [convert(left, { kind: 'integer' }, place), convert(right, { kind: 'integer' }, place)];
  const target = rank.indexOf(a.kind) <= rank.indexOf(b.kind) ? a : b;
  const wanted: SqlType = isNumber(target)
    ? floatType
    : target.kind === 'object' || target.kind === 'array'
      ? variantType
      : target;
  if ((isTime(wanted) && (isNumber(a) || isNumber(b))) || a.kind === 'interval' || b.kind === 'interval')
    throw new SqlProblem(`a ${typeName(a)} cannot be compared with a ${typeName(b)}.`, { place });
  // A float holds whole numbers up to 2^53 only: ids of 64 bits beside a text or JSON are compared digit by digit.
  const isExact = target.kind === 'integer';
  const isPlain = (expr: Expr) => expr.node === 'literal' || expr.node === 'number' || expr.node === 'time';
  const scalar = (expr: Expr, other: Expr): Expr => {
    const converted = isNumber(wanted) && isNumber(expr.type) ? expr : convert(expr, wanted, place);
    if (converted.node !== 'convert') return converted;
    return {
      ...converted,
      ...(isPlain(other) ? { isScalarOnly: true } : {}),
      ...(isExact && converted !== expr ? { isExact } : {}),
    };
  };
  return [scalar(left, right), scalar(right, left)];
}

/** All as one type, as in CASE, COALESCE, IN lists and list literals. */
export function unify(items: readonly Expr[], place?: Place): readonly Expr[] {
  let type: SqlType = { kind: 'null' };
  for (const item of items) type = commonType(type, item.type) ?? stringType;
  if (type.kind === 'null') return items;
  const wanted = type.kind === 'object' ? variantType : type;
  return items.map((item) => convert(item, wanted, place));
}
