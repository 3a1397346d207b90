import type { Expr } from '../../../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  floatType,
  integerType,
  type SqlType,
  stringType,
  variantType,
} from '../../../plan/type.ts';
import { cast, convert, toArray, toText } from '../../coerce.ts';
import { argument, type Call, called, type FunctionDefinition, type Functions, scalar } from '../../functions/call.ts';
import { accessFromOne, sizeOf } from '../bind-access.ts';
import { typeArgument } from '../type-text.ts';

const pathMax = 20;

/** What lies at the keys and places (from 1) that follow the first argument. */
function found(call: Call, last = call.nodes.length): Expr {
  let value = argument(call, 0);
  for (let index = 1; index < last; index++) value = accessFromOne(value, argument(call, index), call.nodes[index]);
  return value;
}

const extract = (type: SqlType, least = 1): FunctionDefinition =>
  scalar(least, pathMax, (call) => {
    const value = found(call);
    return type.kind === 'variant' ? convert(value, variantType) : cast(value, type, call.place);
  });

const keysOf = (call: Call): Expr =>
  called(call, 'OBJECT_KEYS', [convert(found(call), variantType)], arrayOf(stringType));

/** Items of a list, or keys of an object. */
function length(call: Call): Expr {
  const value = found(call);
  if (value.type.kind === 'array') return sizeOf(value);
  const json = convert(value, variantType);
  const isObject = called(call, 'IS_OBJECT', [json], booleanType);
  const items = sizeOf(toArray(json, call.place));
  return { node: 'case', branches: [[isObject, sizeOf(keysOf(call))]], otherwise: items, type: integerType };
}

const isThere = (expr: Expr): Expr => ({ node: 'operator', operator: 'is not null', args: [expr], type: booleanType });

/** `JSONExtract(json, 'key', 'Int64')`: the last argument names the type. */
const typed = scalar(2, pathMax, (call) => {
  const last = call.nodes.length - 1;
  const type = typeArgument(call, last);
  return cast(found(call, last), type, call.place);
});

/** Functions of JSON under the names that ClickHouse gives them. A key that is not there gives NULL. */
export const jsonOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  JSONExtractString: extract(stringType),
  JSONExtractInt: extract(integerType),
  JSONExtractUInt: extract(integerType),
  JSONExtractFloat: extract(floatType),
  JSONExtractBool: extract(booleanType),
  JSONExtractRaw: extract(variantType),
  JSONExtract: typed,
  JSONExtractArrayRaw: scalar(1, pathMax, (call) => toArray(found(call), call.place)),
  JSONExtractKeys: scalar(1, pathMax, keysOf),
  JSONHas: scalar(2, pathMax, (call) => isThere(found(call))),
  JSONLength: scalar(1, pathMax, length),
  JSONType: scalar(1, pathMax, (call) => called(call, 'TYPEOF', [convert(found(call), variantType)], stringType)),
  isValidJSON: scalar(1, 1, (call) => isThere(called(call, 'PARSE_JSON', [toText(argument(call, 0))], variantType))),
  toJSONString: snowflake.get('TO_JSON'),
  simpleJSONExtractString: extract(stringType, 2),
  simpleJSONExtractInt: extract(integerType, 2),
  simpleJSONExtractUInt: extract(integerType, 2),
  simpleJSONExtractFloat: extract(floatType, 2),
  simpleJSONExtractBool: extract(booleanType, 2),
  simpleJSONExtractRaw: extract(variantType, 2),
  simpleJSONHas: scalar(2, 2, (call) => isThere(found(call))),
  visitParamExtractString: extract(stringType, 2),
  visitParamExtractInt: extract(integerType, 2),
});
