import type { Expr } from '../../../plan/plan.ts';
import { booleanType, floatType, integerType, type SqlType, stringType } from '../../../plan/type.ts';
import { cast, convert, literal, nullOf, unify } from '../../coerce.ts';
import {
  argument,
  type Call,
  called,
  type FunctionDefinition,
  type Functions,
  problem,
  scalar,
} from '../../functions/call.ts';
import { typeArgument } from '../type-text.ts';

/** A value that cannot be read is NULL, or 0 for the forms with `OrZero`. */
const to = (type: SqlType): FunctionDefinition => scalar(1, 2, (call) => cast(argument(call, 0), type, call.place));
const orZero = (type: SqlType): FunctionDefinition =>
  scalar(1, 1, (call) => called(call, 'COALESCE', [cast(argument(call, 0), type, call.place), literal(0, type)], type));

const widths = [8, 16, 32, 64] as const;

function numbers(): Record<string, FunctionDefinition> {
  const names = [
    ...widths.flatMap((bits) => [[`toInt${bits}`, integerType] as const, [`toUInt${bits}`, integerType] as const]),
    ['toFloat32', floatType] as const,
    ['toFloat64', floatType] as const,
  ];
  return Object.fromEntries(
    names.flatMap(([name, type]) => [
      [name, to(type)],
      [`${name}OrNull`, to(type)],
      [`${name}OrZero`, orZero(type)],
    ]),
  );
}

/** `CAST(x, 'Int64')`. */
const castByText = scalar(2, 2, (call) => {
  const type = typeArgument(call, 1);
  return cast(argument(call, 0), type, call.place);
});

/** `if(a, b, c)` and `multiIf(a, b, c, d, e)`: conditions with their values, and what is left. */
const choice = scalar(3, 201, (call) => {
  if (call.nodes.length % 2 === 0)
    throw problem(call, 'conditions and values come in pairs, and a last value follows.');
  const pairs = Math.floor(call.nodes.length / 2);
  const conditions = Array.from({ length: pairs }, (_, index) =>
    convert(argument(call, index * 2), booleanType, call.place),
  );
  const last = argument(call, call.nodes.length - 1);
  const results = Array.from({ length: pairs }, (_, index) => argument(call, index * 2 + 1));
  const values = unify([...results, last], call.place);
  const type = values.find((value) => value.type.kind !== 'null')?.type ?? { kind: 'null' as const };
  const branches = conditions.map((condition, index) => [condition, values[index] ?? nullOf(type)] as const);
  return { node: 'case', branches, otherwise: values.at(-1) ?? nullOf(type), type };
});

const test = (operator: 'is null' | 'is not null'): FunctionDefinition =>
  scalar(1, 1, (call) => ({ node: 'operator', operator, args: [argument(call, 0)], type: booleanType }));

const same = scalar(1, 1, (call: Call): Expr => argument(call, 0));

/** Choices and conversions under the names that ClickHouse gives them. */
export const valuesOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  ...numbers(),
  toString: to(stringType),
  toBool: to(booleanType),
  cast: castByText,
  accurateCastOrNull: castByText,
  if: choice,
  multiIf: choice,
  isNull: test('is null'),
  isNotNull: test('is not null'),
  assumeNotNull: same,
  toNullable: same,
  ifNull: snowflake.get('COALESCE'),
  nullIf: snowflake.get('NULLIF'),
});
