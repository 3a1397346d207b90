import { SqlProblem } from '../language/sql-problem.ts';
import { parseTime, unitOf } from '../language/time-text.ts';
import type { Expr, TimeUnit } from '../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  dateType,
  floatType,
  integerType,
  intervalType,
  nullType,
  type SqlType,
  stringType,
  timestampType,
  variantType,
} from '../plan/type.ts';
import { literal, nullOf } from './coerce.ts';
import { listOf, nodeOf, objectName, placeOf, tagged } from './node.ts';

function numberLiteral(digits: string): Expr {
  if (/^\d+$/.test(digits)) {
    const value = Number(digits);
    return Number.isSafeInteger(value) ? literal(value, integerType) : { node: 'number', digits, type: integerType };
  }
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new SqlProblem(`"${digits.slice(0, 40)}" is not a number.`);
  return literal(value, floatType);
}

/** A literal of the statement. */
export function bindValue(body: unknown): Expr {
  const node = nodeOf(body);
  const { tag, body: value } = tagged(node['value']);
  switch (tag) {
    case 'Number':
      return numberLiteral(String(listOf(value)[0]));
    case 'SingleQuotedString':
    case 'EscapedStringLiteral':
    case 'NationalStringLiteral':
      return literal(String(value), stringType);
    case 'DollarQuotedString':
      return literal(String(nodeOf(value)['value']), stringType);
    case 'Boolean':
      return literal(value === true, booleanType);
    case 'Null':
      return nullOf(nullType);
    case 'Placeholder':
      throw new SqlProblem(`"${String(value)}" stands for a value that nobody gave.`, { place: placeOf(node) });
    default:
      throw new SqlProblem('this kind of literal is not supported.', { place: placeOf(node) });
  }
}

const typeTags: Readonly<Record<string, SqlType>> = {
  Varchar: stringType,
  Char: stringType,
  CharVarying: stringType,
  CharacterVarying: stringType,
  Character: stringType,
  String: stringType,
  FixedString: stringType,
  Uuid: stringType,
  Text: stringType,
  Nvarchar: stringType,
  Int: integerType,
  Integer: integerType,
  BigInt: integerType,
  SmallInt: integerType,
  TinyInt: integerType,
  Int8: integerType,
  Int16: integerType,
  Int32: integerType,
  Int64: integerType,
  UInt8: integerType,
  UInt16: integerType,
  UInt32: integerType,
  UInt64: integerType,
  Float: floatType,
  Double: floatType,
  DoublePrecision: floatType,
  Real: floatType,
  Float4: floatType,
  Float8: floatType,
  Float32: floatType,
  Float64: floatType,
  Boolean: booleanType,
  Bool: booleanType,
  Timestamp: timestampType,
  TimestampNtz: timestampType,
  Datetime: timestampType,
  Datetime64: timestampType,
  Date: dateType,
  Date32: dateType,
  JSON: variantType,
};

const customTypes: Readonly<Record<string, SqlType>> = {
  variant: variantType,
  object: variantType,
  string: stringType,
  timestamp_tz: timestampType,
  timestamp_ltz: timestampType,
  timestamp_ntz: timestampType,
  byteint: integerType,
};

const decimalTags = new Set(['Numeric', 'Decimal', 'Dec', 'Number']);

/** `NUMBER(10, 2)` keeps a fraction, `NUMBER` and `NUMBER(10)` are whole. */
const decimal = (scale: unknown): SqlType => (Number(scale ?? 0) > 0 ? floatType : integerType);

/** The type that a cast names. Throws SqlProblem for one this product does not have. */
export function bindType(node: unknown): SqlType {
  const { tag, body } = tagged(node);
  if (decimalTags.has(tag)) {
    const info = body === undefined ? undefined : tagged(body);
    return decimal(info?.tag === 'PrecisionAndScale' ? listOf(info.body)[1] : 0);
  }
  if (tag === 'Custom') {
    const [name, parameters] = listOf(body);
    const word = objectName(name)[0]?.text.toLowerCase() ?? '';
    if (word === 'number') return decimal(listOf(parameters)[1]);
    const type = customTypes[word];
    if (type !== undefined) return type;
    throw new SqlProblem(`there is no type "${word}".`, {
      place: placeOf(name),
      suggestion: 'Types: string, int, float, number, boolean, timestamp, date, variant, array, object.',
    });
  }
  // Any value may be NULL, and how it is kept is the engine's business.
  if (tag === 'Nullable' || tag === 'LowCardinality') return bindType(body);
  if (tag === 'Array') {
    const element = body === undefined ? undefined : tagged(body);
    return arrayOf(element?.tag === 'Parenthesis' ? bindType(element.body) : variantType);
  }
  const type = typeTags[tag];
  if (type === undefined) throw new SqlProblem(`the type ${tag.toUpperCase()} is not supported.`);
  return type;
}

/** `TIMESTAMP '2026-01-01'`, `DATE '2026-01-01'`. */
export function bindTypedString(body: unknown): Expr {
  const node = nodeOf(body);
  const type = bindType(node['data_type']);
  const text = String(tagged(nodeOf(node['value'])['value']).body);
  const at = parseTime(text);
  if (at === undefined)
    throw new SqlProblem(`"${text}" is not a time.`, {
      place: placeOf(node),
      suggestion: "Write '2026-01-31 12:00:00' (UTC).",
    });
  return { node: 'time', at, type };
}

function intervalOf(amount: number, unit: TimeUnit): Expr {
  return { node: 'interval', amount: literal(amount, integerType), unit, type: intervalType };
}

/** `INTERVAL '5 days'`, `INTERVAL '1' hour`, `INTERVAL '1 day, 2 hours'`. Several parts are added one after the other. */
export function bindInterval(body: unknown): readonly Expr[] {
  const node = nodeOf(body);
  const bad = new SqlProblem('this interval cannot be read.', {
    place: placeOf(node),
    suggestion: "Write INTERVAL '7 days' or INTERVAL '1 hour'.",
  });
  const { tag, body: value } = tagged(node['value']);
  if (tag !== 'Value') throw bad;
  const inner = tagged(nodeOf(value)['value']);
  const text = inner.tag === 'Number' ? String(listOf(inner.body)[0]) : String(inner.body);
  const leading = node['leading_field'];
  if (leading !== undefined && leading !== null) {
    const unit = unitOf(tagged(leading).tag);
    if (unit === undefined || !/^-?\d{1,9}$/.test(text.trim())) throw bad;
    return [intervalOf(Number(text), unit)];
  }
  return text.split(',').map((part) => {
    const match = /^\s*(-?\d{1,9})\s*([a-z]+)?\s*$/i.exec(part);
    const unit = unitOf(match?.[2] ?? 'second');
    if (match === null || unit === undefined) throw bad;
    return intervalOf(Number(match[1]), unit);
  });
}
