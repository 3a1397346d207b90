import type { Expr } from '../../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  floatType,
  integerType,
  isNumber,
  type SqlType,
  stringType,
  variantType,
} from '../../plan/type.ts';
import { cast as castTo, comparable, convert, literal, nullOf, toNumber, toText, unify } from '../coerce.ts';
import {
  allArguments,
  argument,
  type Call,
  called,
  type FunctionDefinition,
  integerArgument,
  problem,
  scalar,
  textArgument,
} from './call.ts';

type Wanted = 'text' | 'number' | 'integer';

function read(call: Call, index: number, wanted: Wanted): Expr {
  const expr = argument(call, index);
  if (wanted === 'text') return toText(expr);
  return wanted === 'number' ? toNumber(expr, call.place) : convert(toNumber(expr, call.place), integerType);
}

/** A function whose arguments have fixed types; those after the first `least` may be left out. */
export function plain(
  name: string,
  wanted: readonly Wanted[],
  type: SqlType,
  least = wanted.length,
): FunctionDefinition {
  return scalar(least, wanted.length, (call) =>
    called(
      call,
      name,
      wanted.slice(0, call.nodes.length).map((kind, index) => read(call, index, kind)),
      type,
    ),
  );
}

const texts: Readonly<Record<string, FunctionDefinition>> = {
  LOWER: plain('LOWER', ['text'], stringType),
  UPPER: plain('UPPER', ['text'], stringType),
  TRIM: plain('TRIM', ['text', 'text'], stringType, 1),
  LTRIM: plain('LTRIM', ['text', 'text'], stringType, 1),
  RTRIM: plain('RTRIM', ['text', 'text'], stringType, 1),
  LENGTH: plain('LENGTH', ['text'], integerType),
  LEN: plain('LENGTH', ['text'], integerType),
  REVERSE: plain('REVERSE', ['text'], stringType),
  INITCAP: plain('INITCAP', ['text'], stringType),
  REPLACE: scalar(2, 3, (call) =>
    called(
      call,
      'REPLACE',
      [
        read(call, 0, 'text'),
        read(call, 1, 'text'),
        call.nodes.length > 2 ? read(call, 2, 'text') : literal('', stringType),
      ],
      stringType,
    ),
  ),
  SUBSTR: plain('SUBSTR', ['text', 'integer', 'integer'], stringType, 2),
  SUBSTRING: plain('SUBSTR', ['text', 'integer', 'integer'], stringType, 2),
  LEFT: plain('LEFT', ['text', 'integer'], stringType),
  RIGHT: plain('RIGHT', ['text', 'integer'], stringType),
  SPLIT: plain('SPLIT', ['text', 'text'], arrayOf(stringType)),
  SPLIT_PART: plain('SPLIT_PART', ['text', 'text', 'integer'], stringType),
  CONTAINS: plain('CONTAINS', ['text', 'text'], booleanType),
  STARTSWITH: plain('STARTSWITH', ['text', 'text'], booleanType),
  ENDSWITH: plain('ENDSWITH', ['text', 'text'], booleanType),
  CHARINDEX: plain('CHARINDEX', ['text', 'text'], integerType),
  POSITION: plain('CHARINDEX', ['text', 'text'], integerType),
  EDITDISTANCE: plain('EDITDISTANCE', ['text', 'text'], integerType),
  CONCAT: scalar(1, 50, (call) => called(call, 'CONCAT', allArguments(call).map(toText), stringType)),
  CONCAT_WS: scalar(2, 50, (call) => called(call, 'CONCAT_WS', allArguments(call).map(toText), stringType)),
  MD5: plain('MD5', ['text'], stringType),
  SHA1: plain('SHA1', ['text'], stringType),
  SHA2: scalar(1, 2, (call) => called(call, 'SHA2', [read(call, 0, 'text')], stringType)),
  BASE64_ENCODE: plain('BASE64_ENCODE', ['text'], stringType),
  BASE64_DECODE_STRING: plain('BASE64_DECODE_STRING', ['text'], stringType),
  TRY_BASE64_DECODE_STRING: plain('BASE64_DECODE_STRING', ['text'], stringType),
};

/** `e` asks for the first group, `i` for any case; the position and the occurrence are counted from 1. */
function regexpSubstr(call: Call): Expr {
  const options = call.nodes.length > 4 ? textArgument(call, 4) : 'c';
  if (call.nodes.length > 2 && integerArgument(call, 2) !== 1) throw problem(call, 'only position 1 is supported.');
  const occurrence = call.nodes.length > 3 ? integerArgument(call, 3) : 1;
  const group = call.nodes.length > 5 ? integerArgument(call, 5) : options.includes('e') ? 1 : 0;
  const pattern = literal(`${options.includes('i') ? '(?i)' : ''}${textArgument(call, 1)}`, stringType);
  const args = [read(call, 0, 'text'), pattern, literal(group, integerType), literal(occurrence, integerType)];
  return called(call, 'REGEXP_SUBSTR', args, stringType);
}

const flagged = (call: Call, index: number): string =>
  call.nodes.length > index && textArgument(call, index).includes('i') ? '(?i)' : '';

/** Anchored at both ends, as in Snowflake. */
const regexpLike = scalar(2, 3, (call) => {
  const pattern = argument(call, 1);
  const flags = flagged(call, 2);
  return called(call, 'REGEXP_LIKE', [read(call, 0, 'text'), toText(pattern), literal(flags, stringType)], booleanType);
});

const patterns: Readonly<Record<string, FunctionDefinition>> = {
  REGEXP_LIKE: regexpLike,
  RLIKE: regexpLike,
  REGEXP_SUBSTR: scalar(2, 6, regexpSubstr),
  REGEXP_REPLACE: scalar(2, 3, (call) =>
    called(
      call,
      'REGEXP_REPLACE',
      [
        read(call, 0, 'text'),
        read(call, 1, 'text'),
        call.nodes.length > 2 ? read(call, 2, 'text') : literal('', stringType),
      ],
      stringType,
    ),
  ),
  REGEXP_COUNT: plain('REGEXP_COUNT', ['text', 'text'], integerType),
  REGEXP_INSTR: plain('REGEXP_INSTR', ['text', 'text'], integerType),
};

/** Rounding keeps whole numbers whole. */
const rounding = (name: string): FunctionDefinition =>
  scalar(1, 2, (call) => {
    const value = read(call, 0, 'number');
    const places = call.nodes.length > 1 ? [literal(integerArgument(call, 1), integerType)] : [];
    return called(call, name, [value, ...places], value.type);
  });

const numbers: Readonly<Record<string, FunctionDefinition>> = {
  ABS: scalar(1, 1, (call) => {
    const value = read(call, 0, 'number');
    return called(call, 'ABS', [value], value.type);
  }),
  CEIL: rounding('CEIL'),
  FLOOR: rounding('FLOOR'),
  ROUND: rounding('ROUND'),
  TRUNCATE: rounding('TRUNCATE'),
  SQRT: plain('SQRT', ['number'], floatType),
  EXP: plain('EXP', ['number'], floatType),
  LN: plain('LN', ['number'], floatType),
  LOG: plain('LOG', ['number', 'number'], floatType),
  POWER: plain('POWER', ['number', 'number'], floatType),
  POW: plain('POWER', ['number', 'number'], floatType),
  SIGN: plain('SIGN', ['number'], integerType),
  DIV0: plain('DIV0', ['number', 'number'], floatType),
  MOD: scalar(2, 2, (call) => {
    const [a, b] = [read(call, 0, 'number'), read(call, 1, 'number')];
    return {
      node: 'operator',
      operator: '%',
      args: [a, b],
      type: a.type.kind === 'integer' && b.type.kind === 'integer' ? integerType : floatType,
    };
  }),
  ZEROIFNULL: scalar(1, 1, (call) => {
    const value = read(call, 0, 'number');
    return called(call, 'COALESCE', [value, literal(0, integerType)], value.type);
  }),
};

const oneOf = (name: string): FunctionDefinition =>
  scalar(1, 100, (call) => {
    const items = unify(allArguments(call), call.place);
    return called(call, name, items, items[0]?.type ?? stringType);
  });

const condition = (call: Call, index: number): Expr => convert(argument(call, index), booleanType, call.place);

function choose(call: Call, when: Expr, then: Expr, otherwise: Expr): Expr {
  const [a = then, b = otherwise] = unify([then, otherwise], call.place);
  return { node: 'case', branches: [[when, a]], otherwise: b, type: a.type.kind === 'null' ? b.type : a.type };
}

const isNotNull = (expr: Expr): Expr => ({
  node: 'operator',
  operator: 'is not null',
  args: [expr],
  type: booleanType,
});

const choices: Readonly<Record<string, FunctionDefinition>> = {
  COALESCE: oneOf('COALESCE'),
  NVL: oneOf('COALESCE'),
  IFNULL: oneOf('COALESCE'),
  GREATEST: oneOf('GREATEST'),
  LEAST: oneOf('LEAST'),
  IFF: scalar(3, 3, (call) => choose(call, condition(call, 0), argument(call, 1), argument(call, 2))),
  NVL2: scalar(3, 3, (call) => choose(call, isNotNull(argument(call, 0)), argument(call, 1), argument(call, 2))),
  NULLIF: scalar(2, 2, (call) => {
    const [a, b] = comparable(argument(call, 0), argument(call, 1), call.place);
    return called(call, 'NULLIF', [a, b], a.type);
  }),
  EQUAL_NULL: scalar(2, 2, (call) => {
    const args = comparable(argument(call, 0), argument(call, 1), call.place);
    const differ: Expr = { node: 'operator', operator: 'is distinct', args, type: booleanType };
    return { node: 'operator', operator: 'not', args: [differ], type: booleanType };
  }),
};

const cast = (type: SqlType): FunctionDefinition =>
  scalar(1, 3, (call) => convert(argument(call, 0), type, call.place));

const casts: Readonly<Record<string, FunctionDefinition>> = {
  TO_VARCHAR: cast(stringType),
  TO_CHAR: cast(stringType),
  TO_NUMBER: scalar(1, 3, (call) => castNumber(call)),
  TO_DECIMAL: scalar(1, 3, (call) => castNumber(call)),
  TO_NUMERIC: scalar(1, 3, (call) => castNumber(call)),
  TRY_TO_NUMBER: scalar(1, 3, (call) => castNumber(call)),
  TO_DOUBLE: cast(floatType),
  TRY_TO_DOUBLE: cast(floatType),
  TO_BOOLEAN: cast(booleanType),
  TRY_TO_BOOLEAN: cast(booleanType),
  TO_VARIANT: cast(variantType),
};

function castNumber(call: Call): Expr {
  const value = argument(call, 0);
  if (isNumber(value.type)) return value;
  return castTo(value, call.nodes.length < 3 ? integerType : floatType, call.place);
}

/** Functions of one value, without time, lists and JSON. */
export const scalarFunctions: Readonly<Record<string, FunctionDefinition>> = {
  ...texts,
  ...patterns,
  ...numbers,
  ...choices,
  ...casts,
  NULLIFZERO: scalar(1, 1, (call) => {
    const value = read(call, 0, 'number');
    return choose(
      call,
      { node: 'operator', operator: '=', args: [value, literal(0, integerType)], type: booleanType },
      nullOf(value.type),
      value,
    );
  }),
};
