import type { TimeUnit } from '../plan/plan.ts';
import type { SqlType } from '../plan/type.ts';
import { quote } from './engine-type.ts';

/** What a function of the plan is for the engine. The only place where the engine's functions are named. */

type EngineCall = {
  readonly args: readonly string[];
  readonly types: readonly SqlType[];
  readonly unit: TimeUnit | undefined;
  /** Appended to the aggregate or window function: ` OVER (…)`, or nothing. */
  readonly over: string;
  /** A name that no other lambda of the statement has. */
  readonly parameter: string;
};

type Template = (call: EngineCall) => string;

const a = ({ args }: EngineCall): string => args[0] ?? 'NULL';
const b = ({ args }: EngineCall): string => args[1] ?? 'NULL';
const list = ({ args }: EngineCall): string => args.join(', ');
/** The same function under the engine's name. */
const as =
  (name: string): Template =>
  (call) =>
    `${name}(${list(call)})`;
const overWindow =
  (name: string): Template =>
  (call) =>
    `${name}(${list(call)})${call.over}`;

const unitName = (unit: TimeUnit | undefined): string => quote(unit ?? 'day');
const interval = (amount: string, unit: TimeUnit | undefined): string =>
  `toInterval${(unit ?? 'day').replace(/^./, (first) => first.toUpperCase())}(${amount})`;

/** `.` matches no line break and the pattern covers the whole text, as in Snowflake. */
const anchored = ({ args }: EngineCall): string => `concat(${args[2] ?? "''"}, '(?-s)^(?:', ${args[1] ?? "''"}, ')$')`;

const texts: Readonly<Record<string, Template>> = {
  LOWER: as('lowerUTF8'),
  UPPER: as('upperUTF8'),
  TRIM: (call) => (call.args.length > 1 ? `trim(BOTH ${b(call)} FROM ${a(call)})` : `trimBoth(${a(call)})`),
  LTRIM: (call) => (call.args.length > 1 ? `trim(LEADING ${b(call)} FROM ${a(call)})` : `trimLeft(${a(call)})`),
  RTRIM: (call) => (call.args.length > 1 ? `trim(TRAILING ${b(call)} FROM ${a(call)})` : `trimRight(${a(call)})`),
  LENGTH: (call) => `toInt64(lengthUTF8(${a(call)}))`,
  REVERSE: as('reverseUTF8'),
  INITCAP: as('initcapUTF8'),
  REPLACE: as('replaceAll'),
  SUBSTR: as('substringUTF8'),
  LEFT: as('leftUTF8'),
  RIGHT: as('rightUTF8'),
  SPLIT: (call) => `splitByString(ifNull(${b(call)}, ''), ifNull(${a(call)}, ''))`,
  SPLIT_PART: ({ args: [text = '', separator = '', part = ''] }) =>
    `splitByString(ifNull(${separator}, ''), ifNull(${text}, ''))[${part}]`,
  CONTAINS: (call) => `(position(${a(call)}, ${b(call)}) > 0)`,
  STARTSWITH: as('startsWith'),
  ENDSWITH: as('endsWith'),
  CHARINDEX: (call) => `toInt64(positionUTF8(${b(call)}, ${a(call)}))`,
  EDITDISTANCE: as('editDistance'),
  CONCAT: (call) => (call.args.length === 1 ? a(call) : as('concat')(call)),
  CONCAT_WS: ({ args: [separator = "''", ...items] }) => `concatWithSeparator(${[separator, ...items].join(', ')})`,
  MD5: (call) => `lower(hex(MD5(${a(call)})))`,
  SHA1: (call) => `lower(hex(SHA1(${a(call)})))`,
  SHA2: (call) => `lower(hex(SHA256(${a(call)})))`,
  BASE64_ENCODE: as('base64Encode'),
  BASE64_DECODE_STRING: (call) => `nullIf(tryBase64Decode(${a(call)}), '')`,
  LIKE: (call) => `(${a(call)} LIKE ${b(call)})`,
  ILIKE: (call) => `(${a(call)} ILIKE ${b(call)})`,
  LIKE_PATTERN: (call) => `replaceAll(${a(call)}, '\\\\', '\\\\\\\\')`,
  REGEXP_LIKE: (call) => `match(${a(call)}, ${anchored(call)})`,
  REGEXP_SUBSTR: ({ args: [text = '', pattern = '', group = '0', occurrence = '1'] }) =>
    occurrence === '1'
      ? `nullIf(regexpExtract(${text}, ${pattern}, ${group}), '')`
      : `nullIf(extractAll(ifNull(${text}, ''), ${pattern})[${occurrence}], '')`,
  REGEXP_REPLACE: as('replaceRegexpAll'),
  REGEXP_MATCH: as('match'),
  REGEXP_EXTRACT: (call) => `nullIf(extract(${list(call)}), '')`,
  REGEXP_EXTRACT_ALL: (call) => `extractAll(ifNull(${a(call)}, ''), ${b(call)})`,
  REGEXP_REPLACE_ONE: as('replaceRegexpOne'),
  REPLACE_ONE: as('replaceOne'),
  HAS_TOKEN: as('hasToken'),
  URL_DOMAIN: (call) => `nullIf(domain(${a(call)}), '')`,
  URL_PATH: (call) => `nullIf(path(${a(call)}), '')`,
  URL_PROTOCOL: (call) => `nullIf(protocol(${a(call)}), '')`,
  IS_IPV4: as('isIPv4String'),
  IS_IPV6: as('isIPv6String'),
  IP_IN_RANGE: (call) =>
    `if(isIPv4String(${a(call)}) OR isIPv6String(${a(call)}), isIPAddressInRange(ifNull(${a(call)}, ''), ${b(call)}), false)`,
  REGEXP_COUNT: (call) => `toInt64(countMatches(${list(call)}))`,
  REGEXP_INSTR: (call) =>
    `toInt64(position(${a(call)}, regexpExtract(${a(call)}, ${b(call)}, 0)) * match(${a(call)}, ${b(call)}))`,
};

const numbers: Readonly<Record<string, Template>> = {
  ABS: as('abs'),
  CEIL: as('ceil'),
  FLOOR: as('floor'),
  ROUND: as('round'),
  TRUNCATE: as('trunc'),
  SQRT: as('sqrt'),
  EXP: as('exp'),
  LN: as('log'),
  POWER: as('pow'),
  SIGN: as('sign'),
  LOG: (call) => `(log(${b(call)}) / log(${a(call)}))`,
  DIV0: (call) => `if(${b(call)} = 0, 0, ${a(call)} / ${b(call)})`,
  COALESCE: as('coalesce'),
  NULLIF: as('nullIf'),
  GREATEST: ({ args }) => nullIfAnyNull('greatest', args),
  LEAST: ({ args }) => nullIfAnyNull('least', args),
};

/** The engine leaves NULL out; in SQL one NULL makes the result NULL. */
const nullIfAnyNull = (name: string, args: readonly string[]): string =>
  `if(${args.map((arg) => `isNull(${arg})`).join(' OR ')}, NULL, ${name}(${args.join(', ')}))`;

const part =
  (name: string): Template =>
  (call) =>
    `toInt64(${name}(${a(call)}))`;

const times: Readonly<Record<string, Template>> = {
  DATEDIFF: (call) => `dateDiff(${unitName(call.unit)}, ${a(call)}, ${b(call)}, 'UTC')`,
  DATE_TRUNC: (call) => `toDateTime64(dateTrunc(${unitName(call.unit)}, ${a(call)}, 'UTC'), 3, 'UTC')`,
  TIME_SLICE: (call) => `toDateTime64(toStartOfInterval(${a(call)}, ${interval(b(call), call.unit)}, 'UTC'), 3, 'UTC')`,
  PART_YEAR: part('toYear'),
  PART_QUARTER: part('toQuarter'),
  PART_MONTH: part('toMonth'),
  PART_WEEK: part('toISOWeek'),
  PART_DAY: part('toDayOfMonth'),
  PART_HOUR: part('toHour'),
  PART_MINUTE: part('toMinute'),
  PART_SECOND: part('toSecond'),
  PART_MILLISECOND: part('toMillisecond'),
  PART_DAYOFYEAR: part('toDayOfYear'),
  PART_DAYOFWEEKISO: part('toDayOfWeek'),
  PART_DAYOFWEEK: (call) => `toInt64(toDayOfWeek(${a(call)}) % 7)`,
  PART_EPOCH: part('toUnixTimestamp64Second'),
  DAYNAME: (call) => `left(dateName('weekday', ${a(call)}), 3)`,
  MONTHNAME: (call) => `left(dateName('month', ${a(call)}), 3)`,
  FORMAT_TIME: (call) => `formatDateTime(${list(call)}, 'UTC')`,
  LAST_DAY: (call) => `toDate32(toLastDayOfMonth(${a(call)}))`,
};

const arrays: Readonly<Record<string, Template>> = {
  ARRAY_CONTAINS: as('has'),
  ARRAY_POSITION: (call) => `if(indexOf(${list(call)}) = 0, NULL, toInt64(indexOf(${list(call)})) - 1)`,
  ARRAY_APPEND: as('arrayPushBack'),
  ARRAY_REMOVE: (call) =>
    `arrayFilter(${call.parameter} -> NOT ifNull(${call.parameter} = ${b(call)}, false), ${a(call)})`,
  ARRAYS_OVERLAP: as('hasAny'),
  ARRAY_INTERSECTION: as('arrayIntersect'),
  ARRAY_EXCEPT: (call) => `arrayFilter(${call.parameter} -> NOT has(${b(call)}, ${call.parameter}), ${a(call)})`,
  ARRAY_CAT: as('arrayConcat'),
  ARRAY_SIZE: (call) => `toInt64(length(${a(call)}))`,
  ARRAY_COMPACT: (call) => `arrayFilter(${call.parameter} -> isNotNull(${call.parameter}), ${a(call)})`,
  ARRAY_DISTINCT: as('arrayDistinct'),
  ARRAY_SORT: as('arraySort'),
  ARRAY_REVERSE: as('arrayReverse'),
  ARRAY_REVERSE_SORT: as('arrayReverseSort'),
  ARRAY_HAS_ALL: as('hasAll'),
  ARRAY_MAP: as('arrayMap'),
  ARRAY_FILTER: as('arrayFilter'),
  ARRAY_SLICE_FROM_ONE: as('arraySlice'),
  ARRAY_SUM: (call) => `if(empty(${a(call)}), NULL, arraySum(${a(call)}))`,
  ARRAY_AVG: (call) => `if(empty(${a(call)}), NULL, arrayAvg(${a(call)}))`,
  ARRAY_MIN: (call) => `if(empty(${a(call)}), NULL, arrayMin(${a(call)}))`,
  ARRAY_MAX: (call) => `if(empty(${a(call)}), NULL, arrayMax(${a(call)}))`,
  ARRAY_TO_STRING: (call) =>
    `arrayStringConcat(arrayMap(${call.parameter} -> ifNull(${call.parameter}, ''), ${a(call)}), ${b(call)})`,
  ARRAY_SLICE: ({ args: [array = '', from = '0', to = '0'] }) =>
    slice(array, Number(from.replaceAll(/[()]/g, '')), Number(to.replaceAll(/[()]/g, ''))),
};

/** From is included, to is not; negative places count from the end. */
function slice(array: string, from: number, to: number): string {
  const start = from >= 0 ? String(from) : `greatest(toInt64(length(${array})) + (${from}), 0)`;
  const end = to >= 0 ? String(to) : `toInt64(length(${array})) + (${to})`;
  return `arraySlice(${array}, ${start} + 1, greatest(${end} - (${start}), 0))`;
}

const json: Readonly<Record<string, Template>> = {
  PARSE_JSON: (call) => `nullIf(if(isValidJSON(ifNull(${a(call)}, '')), ${a(call)}, NULL), 'null')`,
  TO_JSON: a,
  OBJECT_KEYS: (call) => `JSONExtractKeys(ifNull(${a(call)}, '{}'))`,
  OBJECT_CONSTRUCT: ({ args }) => objectOf(args),
  TYPEOF: (call) => `upper(toString(JSONType(${a(call)})))`,
  IS_ARRAY: (call) => `startsWith(${a(call)}, '[')`,
  IS_OBJECT: (call) => `startsWith(${a(call)}, '{')`,
};

/** Keys whose value is NULL are left out. */
function objectOf(args: readonly string[]): string {
  const entries: string[] = [];
  for (let at = 0; at < args.length; at += 2)
    entries.push(
      `if(isNull(${args[at + 1]}), '', concat(toJSONString(ifNull(${args[at]}, '')), ':', ifNull(${args[at + 1]}, 'null')))`,
    );
  return `concat('{', arrayStringConcat(arrayFilter(x -> notEmpty(x), [${entries.join(', ')}]), ','), '}')`;
}

const finite = (text: string): string => `if(isFinite(${text}), ${text}, NULL)`;

const aggregates: Readonly<Record<string, Template>> = {
  COUNT: (call) => `toInt64(count(${list(call)})${call.over})`,
  COUNT_DISTINCT: (call) => `toInt64(uniqExact(${list(call)})${call.over})`,
  COUNT_IF: (call) => `toInt64(countIf(ifNull(${a(call)}, false))${call.over})`,
  SUM: overWindow('sumOrNull'),
  SUM_DISTINCT: overWindow('sumDistinctOrNull'),
  AVG: overWindow('avgOrNull'),
  AVG_DISTINCT: overWindow('avgDistinctOrNull'),
  MEDIAN: (call) => finite(`quantileExactInclusive(0.5)(${list(call)})${call.over}`),
  STDDEV: (call) => finite(`stddevSampStable(${list(call)})${call.over}`),
  STDDEV_POP: (call) => finite(`stddevPopStable(${list(call)})${call.over}`),
  VARIANCE: (call) => finite(`varSampStable(${list(call)})${call.over}`),
  MIN: overWindow('minOrNull'),
  MAX: overWindow('maxOrNull'),
  ANY_VALUE: overWindow('anyOrNull'),
  MODE: (call) => `arrayElementOrNull(topK(1)(${list(call)})${call.over}, 1)`,
  TOP_K: (call) => `topK(${a(call)})(${b(call)})${call.over}`,
  MAX_BY: overWindow('argMaxOrNull'),
  MIN_BY: overWindow('argMinOrNull'),
  ARRAY_AGG: overWindow('groupArray'),
  ARRAY_AGG_DISTINCT: overWindow('groupUniqArray'),
  LISTAGG: (call) => `arrayStringConcat(groupArray(${a(call)})${call.over}, ${b(call)})`,
  LISTAGG_DISTINCT: (call) => `arrayStringConcat(groupUniqArray(${a(call)})${call.over}, ${b(call)})`,
  APPROX_COUNT_DISTINCT: (call) => `toInt64(uniq(${list(call)})${call.over})`,
  PERCENTILE_CONT: (call) => finite(`quantileExactInclusive(${a(call)})(${b(call)})${call.over}`),
  BOOLAND_AGG: (call) => `(minOrNull(${list(call)})${call.over} = true)`,
  BOOLOR_AGG: (call) => `(maxOrNull(${list(call)})${call.over} = true)`,
  ROW_NUMBER: (call) => `toInt64(row_number()${call.over})`,
  RANK: (call) => `toInt64(rank()${call.over})`,
  DENSE_RANK: (call) => `toInt64(dense_rank()${call.over})`,
  PERCENT_RANK: overWindow('percent_rank'),
  NTILE: (call) => `toInt64(ntile(${list(call)})${call.over})`,
  LAG: overWindow('lag'),
  LEAD: overWindow('lead'),
  FIRST_VALUE: overWindow('first_value'),
  LAST_VALUE: overWindow('last_value'),
};

/** The engine's text for each function that a plan may hold. */
export const engineFunctions: ReadonlyMap<string, Template> = new Map(
  Object.entries({ ...texts, ...numbers, ...times, ...arrays, ...json, ...aggregates }),
);

export const engineInterval = interval;
