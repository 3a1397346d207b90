import { isIP } from 'node:net';
import { type IndicatorSet, indicatorScanner, scanAwsJson } from '../normalize/indicators.ts';
import { isJsonObject, numberText, parseJson, rawNumber, setKey } from '#platform/json';
import type { FieldSpec, ValueSpec } from './schema-spec.ts';
import { type TimeParser, timeParser } from './timestamp.ts';

/** What decoding one event gathers besides its values. */
export type DecodeContext = {
  readonly indicators: IndicatorSet;
  /** Milliseconds of the first field marked as event time that has a value. */
  eventTimeMs: number | undefined;
  eventTimeRank: number;
  /** Why the event does not fit, in words for the person who reads the failure. */
  reason: string;
};

/** Returned instead of a value when the event does not fit the schema. Never thrown: trying schemas must be cheap. */
export const misfit: unique symbol = Symbol('misfit');

/** Takes a parsed JSON value (numbers beyond 2^53 as raw JSON) and gives the value to store; undefined leaves the field out. */
type Decoder = (value: unknown, context: DecodeContext) => unknown;

type Compile = { readonly definitions: Readonly<Record<string, ValueSpec>>; readonly scanAws: boolean; rank: number };

function refuse(context: DecodeContext, reason: string): typeof misfit {
  context.reason = reason;
  return misfit;
}

const kindOf = (value: unknown): string =>
  Array.isArray(value)
    ? 'an array'
    : value === null
      ? 'null'
      : numberText(value) === undefined
        ? `a ${typeof value}`
        : 'a number';

function stringDecoder(spec: ValueSpec, at: string): Decoder {
  const scan = spec.indicators?.length ? indicatorScanner(spec.indicators) : undefined;
  const isValid = spec.validate === undefined ? undefined : textValidator(spec.validate);
  return (value, context) => {
    const text = typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : numberText(value);
    if (text === undefined) return refuse(context, `${at} is ${kindOf(value)}, not a string`);
    if (isValid !== undefined && !isValid(text))
      return refuse(context, `${at} has a value that its validation does not allow`);
    scan?.(context.indicators, text);
    return text;
  };
}

function textValidator({ allow, deny, ip, cidr }: NonNullable<ValueSpec['validate']>): (text: string) => boolean {
  const allowed = allow && new Set(allow);
  const denied = deny && new Set(deny);
  const isFamily = (text: string, family: 'ipv4' | 'ipv6' | 'any') => {
    const version = isIP(text);
    return family === 'any' ? version !== 0 : version === (family === 'ipv4' ? 4 : 6);
  };
  const isCidr = (text: string, family: 'ipv4' | 'ipv6' | 'any') => {
    const [address = '', bits = '', ...rest] = text.split('/');
    return (
      rest.length === 0 &&
      /^\d{1,3}$/.test(bits) &&
      isFamily(address, family) &&
      Number(bits) <= (isIP(address) === 4 ? 32 : 128)
    );
  };
  return (text) =>
    (allowed?.has(text) ?? true) &&
    !denied?.has(text) &&
    (ip === undefined || isFamily(text, ip)) &&
    (cidr === undefined || isCidr(text, cidr));
}

const integerRanges = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

function integerDecoder(type: keyof typeof integerRanges, at: string): Decoder {
  const [lowest, highest] = integerRanges[type];
  return (value, context) => {
    if (value === '') return undefined;
    if (Number.isSafeInteger(value) && BigInt(value as number) >= lowest && BigInt(value as number) <= highest)
      return value;
    const text = typeof value === 'string' ? value.trim() : numberText(value);
    if (text === undefined || !/^[+-]?\d+(\.0+)?$/.test(text)) return refuse(context, `${at} is not a whole number`);
    const number = BigInt(text.replace(/\.0+$/, '').replace(/^\+/, ''));
    if (number < lowest || number > highest) return refuse(context, `${at} does not fit into ${type}`);
    return rawNumber(String(number));
  };
}

function floatDecoder(at: string): Decoder {
  return (value, context) => {
    if (value === '') return undefined;
    if (typeof value === 'number') return value;
    const text = typeof value === 'string' ? value.trim() : numberText(value);
    const number = text === undefined || text === '' ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number : refuse(context, `${at} is not a number`);
  };
}

const booleanTexts = new Map<unknown, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True', 1].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False', 0].map((text) => [text, false] as const),
]);

function booleanDecoder(at: string): Decoder {
  return (value, context) => {
    if (typeof value === 'boolean') return value;
    if (value === '') return undefined;
    return booleanTexts.get(value) ?? refuse(context, `${at} is not a boolean`);
  };
}

function timestampDecoder(spec: ValueSpec, at: string, compile: Compile): Decoder {
  const formats = spec.timeFormats ?? (spec.timeFormat === undefined ? [] : [spec.timeFormat]);
  const parsers: readonly TimeParser[] = formats.map(timeParser);
  const rank = spec.isEventTime ? compile.rank++ : undefined;
  return (value, context) => {
    if (value === '') return undefined;
    const given = typeof value === 'string' || typeof value === 'number' ? value : numberText(value);
    if (given === undefined) return refuse(context, `${at} is ${kindOf(value)}, not a time`);
    for (const parse of parsers) {
      const milliseconds = parse(given);
      if (milliseconds === undefined) continue;
      if (rank !== undefined && rank < context.eventTimeRank) {
        context.eventTimeMs = milliseconds;
        context.eventTimeRank = rank;
      }
      return new Date(milliseconds).toISOString();
    }
    return refuse(context, `${at} is not a time of the format ${formats.join(' or ')}`);
  };
}

function arrayDecoder(spec: ValueSpec, at: string, compile: Compile): Decoder {
  const element = decoderOf(spec.element ?? { type: 'json' }, `${at}[]`, compile);
  return (value, context) => {
    if (!Array.isArray(value)) return refuse(context, `${at} is ${kindOf(value)}, not an array`);
    const items: unknown[] = [];
    for (const item of value) {
      const decoded = item === null ? null : element(item, context);
      if (decoded === misfit) return misfit;
      items.push(decoded ?? null);
    }
    return items;
  };
}

function objectDecoder(spec: ValueSpec, at: string, compile: Compile): Decoder {
  const fields = fieldDecoders(spec.fields ?? [], at, compile);
  const names = new Set(fields.map((field) => field.name));
  return (value, context) => {
    if (!isJsonObject(value)) return refuse(context, `${at} is ${kindOf(value)}, not an object`);
    const result: Record<string, unknown> = {};
    for (const field of fields) {
      const decoded = decodeField(field, value, context);
      if (decoded === misfit) return misfit;
      if (decoded !== undefined) setKey(result, field.outputName, decoded);
    }
    // Keys that the schema does not know stay where they were: nothing is lost, and rules may read them.
    for (const key of Object.keys(value)) if (!names.has(key) && value[key] !== null) setKey(result, key, value[key]);
    return result;
  };
}

const embedded =
  (decode: Decoder, at: string): Decoder =>
  (value, context) => {
    if (typeof value !== 'string') return decode(value, context);
    if (value === '') return undefined;
    try {
      return decode(parseJson(value), context);
    } catch {
      return refuse(context, `${at} is a string that is not JSON`);
    }
  };

function plainDecoder(spec: ValueSpec, at: string, compile: Compile): Decoder {
  switch (spec.type) {
    case 'string':
      return stringDecoder(spec, at);
    case 'int':
    case 'smallint':
    case 'bigint':
      return integerDecoder(spec.type, at);
    case 'float':
      return floatDecoder(at);
    case 'boolean':
      return booleanDecoder(at);
    case 'timestamp':
      return timestampDecoder(spec, at, compile);
    case 'array':
      return arrayDecoder(spec, at, compile);
    case 'object':
      return objectDecoder(spec, at, compile);
    case 'json':
      return compile.scanAws
        ? (value, context) => {
            scanAwsJson(context.indicators, value);
            return value;
          }
        : (value) => value;
    case 'ref':
      return decoderOf(compile.definitions[spec.target ?? ''] ?? { type: 'json' }, at, compile);
  }
}

function decoderOf(spec: ValueSpec, at: string, compile: Compile): Decoder {
  const decode = plainDecoder(spec, at, compile);
  return spec.isEmbeddedJSON ? embedded(decode, at) : decode;
}

export type FieldDecoder = {
  readonly name: string;
  readonly outputName: string;
  readonly isRequired: boolean;
  readonly at: string;
  readonly decode: Decoder;
};

/** Decoders of an object's fields. `prefix` is the path shown in reasons. */
export function fieldDecoders(fields: readonly FieldSpec[], prefix: string, compile: Compile): readonly FieldDecoder[] {
  return fields.map((field) => {
    const at = prefix === '' ? field.name : `${prefix}.${field.name}`;
    return {
      name: field.name,
      outputName: columnName(field.name),
      isRequired: field.required === true,
      at,
      decode: decoderOf(field, at, compile),
    };
  });
}

/** Value of one field of an object; undefined leaves it out. */
export function decodeField(field: FieldDecoder, source: Record<string, unknown>, context: DecodeContext): unknown {
  const value = Object.hasOwn(source, field.name) ? source[field.name] : undefined;
  const decoded = value === undefined || value === null ? undefined : field.decode(value, context);
  if (decoded === undefined && field.isRequired) return refuse(context, `${field.at} is required`);
  return decoded;
}

const symbolWords: Readonly<Record<string, string>> = {
  '@': 'at_sign',
  ',': 'comma',
  '`': 'backtick',
  "'": 'apostrophe',
  $: 'dollar_sign',
  '*': 'asterisk',
  '&': 'ampersand',
  '!': 'exclamation',
  '%': 'percent',
  '+': 'plus',
  '/': 'slash',
  '\\': 'backslash',
  '#': 'hash',
  '~': 'tilde',
  '=': 'eq',
};

/** Name of a field in rows and in the lake: symbols spelled out, other characters outside `[A-Za-z0-9_-]` as `_`. */
export function columnName(name: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name;
  let result = '';
  const characters = Array.from(name.normalize('NFKD').replaceAll(/\p{M}/gu, ''));
  for (const [index, character] of characters.entries()) {
    const word = symbolWords[character];
    if (word === undefined) result += /[A-Za-z0-9_-]/.test(character) ? character : '_';
    else result += `${index > 0 ? '_' : ''}${word}${index < characters.length - 1 ? '_' : ''}`;
  }
  return result;
}
