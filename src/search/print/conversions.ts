import { arrayOf, type SqlType, variantType } from '../plan/type.ts';
import { engineNull, engineType, quote } from './engine-type.ts';

/** How one engine expression becomes another type. What cannot be read as it becomes NULL. */

/** The text of a JSON value: strings without their quotes, everything else as it is written. */
const textOfJson = (json: string): string =>
  `if(startsWith(${json}, '"'), JSONExtract(${json}, 'Nullable(String)'), ${json})`;

const toTime = (text: string): string => `parseDateTime64BestEffortOrNull(${text}, 3, 'UTC')`;

/** A number in a text, to nine places behind the point; numbers beyond 28 digits only keep their sign. */
export const exactNumber = (text: string): string =>
  `coalesce(toDecimal128OrNull(${text}, 9), multiIf(toFloat64OrNull(${text}) >= 1e28, toDecimal128('1e28', 9), toFloat64OrNull(${text}) <= -1e28, toDecimal128('-1e28', 9), NULL))`;

const trueWords = "('true', 't', 'yes', 'y', 'on', '1')";
const falseWords = "('false', 'f', 'no', 'n', 'off', '0')";

function fromText(text: string, to: SqlType): string {
  switch (to.kind) {
    case 'integer':
      return `coalesce(toInt64OrNull(${text}), accurateCastOrNull(round(toFloat64OrNull(${text})), 'Int64'))`;
    case 'float':
      return `toFloat64OrNull(${text})`;
    case 'boolean':
      return `multiIf(lower(${text}) IN ${trueWords}, true, lower(${text}) IN ${falseWords}, false, NULL)`;
    case 'timestamp':
      return toTime(text);
    case 'date':
      return `toDate32(${toTime(text)})`;
    case 'variant':
      return `nullIf(toJSONString(${text}), 'null')`;
    case 'string':
    case 'object':
    case 'array':
    case 'null':
    case 'interval':
      return text;
  }
}

/** Epoch seconds, or milliseconds and finer when the number is too large for seconds. */
const epoch = (number: string): string =>
  `fromUnixTimestamp64Milli(toInt64(multiIf(abs(${number}) < 31536000000, ${number} * 1000, abs(${number}) < 31536000000000, ${number}, abs(${number}) < 31536000000000000, ${number} / 1000, ${number} / 1000000)), 'UTC')`;

function fromNumber(number: string, from: SqlType, to: SqlType): string {
  switch (to.kind) {
    case 'string':
      return `toString(${number})`;
    case 'integer':
      return from.kind === 'integer' ? number : `accurateCastOrNull(round(${number}), 'Int64')`;
    case 'float':
      return `toFloat64(${number})`;
    case 'boolean':
      return `(${number} != 0)`;
    case 'timestamp':
      return epoch(number);
    case 'date':
      return `toDate32(${epoch(number)})`;
    case 'variant':
    case 'object':
    case 'array':
    case 'null':
    case 'interval':
      return `nullIf(toJSONString(${number}), 'null')`;
  }
}

function fromBoolean(value: string, to: SqlType): string {
  if (to.kind === 'string') return `if(isNull(${value}), NULL, if(${value}, 'true', 'false'))`;
  if (to.kind === 'variant') return `if(isNull(${value}), NULL, if(${value}, 'true', 'false'))`;
  return to.kind === 'float' ? `toFloat64(${value})` : `toInt64(${value})`;
}

function fromTime(time: string, from: SqlType, to: SqlType): string {
  switch (to.kind) {
    case 'timestamp':
      return from.kind === 'date' ? `toDateTime64(${time}, 3, 'UTC')` : time;
    case 'date':
      return `toDate32(${time})`;
    case 'string':
      return `toString(${time})`;
    case 'integer':
    case 'float':
      return `toUnixTimestamp64Second(toDateTime64(${time}, 3, 'UTC'))`;
    case 'boolean':
    case 'variant':
    case 'object':
    case 'array':
    case 'null':
    case 'interval':
      return `nullIf(toJSONString(toString(${time})), 'null')`;
  }
}

/** A JSON list of the elements. Elements that are JSON already are joined as they are. */
function listToJson(list: string, element: SqlType): string {
  const isJson = element.kind === 'variant';
  const items = isJson
    ? `arrayMap(x -> ifNull(x, 'null'), ${list})`
    : `arrayMap(x -> ifNull(${itemToJson('x', element)}, 'null'), ${list})`;
  return `concat('[', arrayStringConcat(${items}, ','), ']')`;
}

const itemToJson = (item: string, element: SqlType): string =>
  element.kind === 'object' ? `toJSONString(${item})` : convertText(item, element, variantType);

function fromArray(list: string, element: SqlType, to: SqlType): string {
  if (to.kind === 'array') {
    if (element.kind === to.element.kind) return list;
    const item =
      element.kind === 'object'
        ? convertText('toJSONString(x)', variantType, to.element)
        : convertText('x', element, to.element);
    return `arrayMap(x -> ${item}, ${list})`;
  }
  const json = listToJson(list, element);
  // A list that is not there cannot be told from an empty one.
  const orNull = `if(empty(${list}), NULL, ${json})`;
  return to.kind === 'variant' ? orNull : convertText(orNull, variantType, to);
}

/** JSON text as a list: one value alone becomes a list of one, as a cast to ARRAY does. */
function jsonToArray(json: string, to: SqlType & { readonly kind: 'array' }): string {
  const raw = `multiIf(isNull(${json}), [], startsWith(${json}, '['), JSONExtractArrayRaw(ifNull(${json}, '[]')), [assumeNotNull(${json})])`;
  if (to.element.kind === 'variant') return raw;
  return fromArray(raw, variantType, to);
}

/** The engine expression for a value of one type as another type. */
export function convertText(value: string, from: SqlType, to: SqlType): string {
  if (to.kind === 'null' || to.kind === 'interval') return value;
  switch (from.kind) {
    case 'null':
      return engineNull(to);
    case 'interval':
      return value;
    case 'string':
      return to.kind === 'array' ? jsonToArray(fromText(value, variantType), to) : fromText(value, to);
    case 'integer':
    case 'float':
      return to.kind === 'array' ? jsonToArray(fromNumber(value, from, variantType), to) : fromNumber(value, from, to);
    case 'boolean':
      return to.kind === 'boolean' ? value : fromBoolean(value, to);
    case 'timestamp':
    case 'date':
      return fromTime(value, from, to);
    case 'object':
      return convertText(`nullIf(toJSONString(${value}), '{}')`, variantType, to);
    case 'array':
      return fromArray(value, from.element, to);
    case 'variant':
      if (to.kind === 'variant' || to.kind === 'object') return value;
      if (to.kind === 'array') return jsonToArray(value, to);
      return fromText(textOfJson(value), to);
  }
}

/** Reads a typed value out of JSON text. `keys` begin with a comma. */
export function extractText(json: string, keys: string, type: SqlType): string {
  switch (type.kind) {
    case 'timestamp':
    case 'date':
      return fromText(`JSONExtract(${json}${keys}, 'Nullable(String)')`, type);
    case 'array':
      return type.element.kind === 'variant' || type.element.kind === 'object'
        ? jsonToArray(
            extractText(json, keys, variantType),
            arrayOf(variantType) as SqlType & { readonly kind: 'array' },
          )
        : `JSONExtract(ifNull(${json}, '')${keys}, ${quote(engineType(type))})`;
    case 'variant':
    case 'object':
      return `nullIf(nullIf(JSONExtractRaw(${json}${keys}), ''), 'null')`;
    case 'string':
    case 'integer':
    case 'float':
    case 'boolean':
    case 'null':
    case 'interval':
      return `JSONExtract(${json}${keys}, ${quote(engineType(type))})`;
  }
}
