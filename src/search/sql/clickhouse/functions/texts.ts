import type { Expr } from '../../../plan/plan.ts';
import { arrayOf, booleanType, integerType, stringType } from '../../../plan/type.ts';
import { likeTest } from '../../bind-match.ts';
import { literal, literalInteger, toArray, toNumber, toText } from '../../coerce.ts';
import {
  argument,
  type Call,
  called,
  type FunctionDefinition,
  type Functions,
  problem,
  scalar,
} from '../../functions/call.ts';
import { plain } from '../../functions/scalar-functions.ts';

const text = (call: Call, index: number): Expr => toText(argument(call, index));
const negated = (expr: Expr): Expr => ({ node: 'operator', operator: 'not', args: [expr], type: booleanType });
const isAbove = (expr: Expr, least: number): Expr => ({
  node: 'operator',
  operator: '>',
  args: [expr, literal(least, integerType)],
  type: booleanType,
});
const lowered = (expr: Expr): Expr => ({ node: 'call', name: 'LOWER', args: [expr], type: stringType });

const like = (ignoresCase: boolean, isNegated: boolean): FunctionDefinition =>
  scalar(2, 2, (call) => {
    const test = likeTest(text(call, 0), argument(call, 1), '\\', ignoresCase);
    return isNegated ? negated(test) : test;
  });

const position = (ignoresCase: boolean): FunctionDefinition =>
  scalar(2, 2, (call) => {
    const args = [text(call, 1), text(call, 0)];
    return called(call, 'CHARINDEX', ignoresCase ? args.map(lowered) : args, integerType);
  });

/** `multiSearchAny(text, ['a', 'b'])`: the words stand in the statement. */
const searchAny = (ignoresCase: boolean): FunctionDefinition =>
  scalar(2, 2, (call) => {
    const words = argument(call, 1);
    if (words.node !== 'list' || words.items.length === 0)
      throw problem(call, 'the second argument is a list of words.', "Write ['one', 'two'].");
    const change = ignoresCase ? lowered : (expr: Expr): Expr => expr;
    const where = change(text(call, 0));
    return words.items
      .map((word): Expr => called(call, 'CONTAINS', [where, change(toText(word))], booleanType))
      .reduce((left, right): Expr => ({ node: 'operator', operator: 'or', args: [left, right], type: booleanType }));
  });

/** Counts characters of a text, items of a list. */
const length = scalar(1, 1, (call) => {
  const value = argument(call, 0);
  return value.type.kind === 'array'
    ? called(call, 'ARRAY_SIZE', [value], integerType)
    : called(call, 'LENGTH', [toText(value)], integerType);
});

const emptiness = (isNegated: boolean): FunctionDefinition =>
  scalar(1, 1, (call) => {
    const size = length.bind(call);
    return isNegated ? isAbove(size, 0) : negated(isAbove(size, 0));
  });

const split = scalar(2, 2, (call) => called(call, 'SPLIT', [text(call, 1), text(call, 0)], arrayOf(stringType)));

const join = scalar(1, 2, (call) => {
  const list = toArray(argument(call, 0), call.place);
  const texts: Expr =
    list.type.kind === 'array' && list.type.element.kind === 'string'
      ? list
      : { node: 'convert', expr: list, type: arrayOf(stringType) };
  const separator = call.nodes.length > 1 ? text(call, 1) : literal('', stringType);
  return called(call, 'ARRAY_TO_STRING', [texts, separator], stringType);
});

/** Division that gives whole numbers, rounded towards 0. */
const intDiv = scalar(2, 2, (call) => {
  const args = [0, 1].map((index) => toNumber(argument(call, index), call.place));
  if (args[1] !== undefined && literalInteger(args[1]) === 0) throw problem(call, 'nothing can be divided by 0.');
  const quotient: Expr = { node: 'operator', operator: '/', args, type: { kind: 'float' } };
  const rounded = called(call, 'TRUNCATE', [quotient], { kind: 'float' });
  return { node: 'convert', expr: rounded, type: integerType };
});

/** Functions of texts and numbers under the names that ClickHouse gives them. */
export const textsOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  lowerUTF8: snowflake.get('LOWER'),
  upperUTF8: snowflake.get('UPPER'),
  lcase: snowflake.get('LOWER'),
  ucase: snowflake.get('UPPER'),
  trimBoth: plain('TRIM', ['text'], stringType),
  trimLeft: plain('LTRIM', ['text'], stringType),
  trimRight: plain('RTRIM', ['text'], stringType),
  reverseUTF8: snowflake.get('REVERSE'),
  substringUTF8: snowflake.get('SUBSTR'),
  mid: snowflake.get('SUBSTR'),
  length,
  lengthUTF8: length,
  char_length: length,
  empty: emptiness(false),
  notEmpty: emptiness(true),
  position: position(false),
  locate: position(false),
  positionUTF8: position(false),
  positionCaseInsensitive: position(true),
  positionCaseInsensitiveUTF8: position(true),
  multiSearchAny: searchAny(false),
  multiSearchAnyCaseInsensitive: searchAny(true),
  hasToken: plain('HAS_TOKEN', ['text', 'text'], booleanType),
  like: like(false, false),
  notLike: like(false, true),
  ilike: like(true, false),
  notILike: like(true, true),
  match: plain('REGEXP_MATCH', ['text', 'text'], booleanType),
  extract: plain('REGEXP_EXTRACT', ['text', 'text'], stringType),
  extractAll: plain('REGEXP_EXTRACT_ALL', ['text', 'text'], arrayOf(stringType)),
  countMatches: snowflake.get('REGEXP_COUNT'),
  replaceOne: plain('REPLACE_ONE', ['text', 'text', 'text'], stringType),
  replaceAll: plain('REPLACE', ['text', 'text', 'text'], stringType),
  replaceRegexpOne: plain('REGEXP_REPLACE_ONE', ['text', 'text', 'text'], stringType),
  replaceRegexpAll: plain('REGEXP_REPLACE', ['text', 'text', 'text'], stringType),
  startsWithUTF8: snowflake.get('STARTSWITH'),
  endsWithUTF8: snowflake.get('ENDSWITH'),
  splitByChar: split,
  splitByString: split,
  arrayStringConcat: join,
  base64Encode: snowflake.get('BASE64_ENCODE'),
  base64Decode: snowflake.get('BASE64_DECODE_STRING'),
  tryBase64Decode: snowflake.get('BASE64_DECODE_STRING'),
  levenshteinDistance: snowflake.get('EDITDISTANCE'),
  domain: plain('URL_DOMAIN', ['text'], stringType),
  path: plain('URL_PATH', ['text'], stringType),
  protocol: plain('URL_PROTOCOL', ['text'], stringType),
  isIPv4String: plain('IS_IPV4', ['text'], booleanType),
  isIPv6String: plain('IS_IPV6', ['text'], booleanType),
  isIPAddressInRange: plain('IP_IN_RANGE', ['text', 'text'], booleanType),
  log: plain('LN', ['number'], { kind: 'float' }),
  trunc: snowflake.get('TRUNCATE'),
  ceiling: snowflake.get('CEIL'),
  intDiv,
});
