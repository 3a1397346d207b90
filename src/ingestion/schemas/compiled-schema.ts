import { isJsonObject, setKey } from '#platform/json';
import type { Event, TextParser } from '../parsers/line-reader.ts';
import { nativeParser } from '../parsers/native/catalog.ts';
import type { NativeParser } from '../parsers/native/native-parser.ts';
import { textParser } from '../parsers/text-parser.ts';
import { IndicatorSet } from '../normalize/indicators.ts';
import { columnName, type DecodeContext, decodeField, fieldDecoders, misfit } from './decoders.ts';
import { type FieldSpec, readSchemaSpec, type SchemaProblem, type SchemaSpec, type ValueSpec } from './schema-spec.ts';
import { timeParser } from './timestamp.ts';
import { transformerOf } from './transformations.ts';

type LakeColumnType = 'string' | 'bigint' | 'int' | 'float' | 'boolean' | 'timestamp' | 'object' | 'array' | 'json';

/** A top-level field as the lake stores it. `element` is the type inside an array. */
type LakeColumn = { readonly name: string; readonly type: LakeColumnType; readonly element?: LakeColumnType };

/** The fields of an event that fits, and what was found on the way. */
export type Decoded = {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly indicators: IndicatorSet;
  readonly eventTimeMs: number | undefined;
};

type DecodeResult =
  /** `more` are the further rows of a record that holds several. */
  | { readonly kind: 'event'; readonly decoded: Decoded; readonly more?: readonly Decoded[] }
  /** Fits, but is no event: a header or comment line. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'misfit'; readonly reason: string };

/**
 * A schema ready to try on records. Holds per-batch parser state (header lines), so `forBatch` gives each batch its
 * own; stamps without a year are read against the parse time of the batch.
 */
export type CompiledSchema = {
  readonly name: string;
  readonly columns: readonly LakeColumn[];
  /** True when the schema reads JSON records, false when it reads lines of text. */
  readonly readsJson: boolean;
  /** Keys without which no JSON record fits; undefined where records are read or reshaped before they are looked at. */
  readonly requiredKeys: ReadonlySet<string> | undefined;
  forBatch(parseTime: Date): { decodeJson(event: unknown): DecodeResult; decodeText(line: string): DecodeResult };
};

/** Follows references and reports what is wrong with a value, each problem with its path. */
function checkValue(
  spec: ValueSpec,
  path: string,
  definitions: Readonly<Record<string, ValueSpec>>,
  seen: readonly string[],
  problems: SchemaProblem[],
): void {
  const report = (message: string) => problems.push({ path, message });
  if (spec.type === 'ref') {
    const target = spec.target === undefined ? undefined : definitions[spec.target];
    if (target === undefined) return void report(`target: "${spec.target ?? ''}" is not among the definitions`);
    if (seen.includes(spec.target ?? '')) return void report(`target: "${spec.target ?? ''}" leads back to itself`);
    return checkValue(target, path, definitions, [...seen, spec.target ?? ''], problems);
  }
  if (spec.type === 'timestamp') {
    const formats = spec.timeFormats ?? (spec.timeFormat === undefined ? [] : [spec.timeFormat]);
    if (formats.length === 0) report('timeFormats: a timestamp needs one format or more');
    if (spec.timeFormats !== undefined && spec.timeFormat !== undefined) report('timeFormat: use timeFormats alone');
    for (const format of formats) {
      try {
        timeParser(format);
      } catch (error) {
        report(`timeFormats: ${error instanceof Error ? error.message : 'is not known'}`);
      }
    }
  } else if (spec.isEventTime) report('isEventTime: only a timestamp can be the event time');
  if (spec.type !== 'string' && (spec.indicators?.length ?? 0) > 0)
    report('indicators: only strings have indicators; in an array put them on its element');
  if (spec.type !== 'string' && spec.validate) report('validate: only strings can be validated');
  if (spec.isEmbeddedJSON && !['object', 'array', 'json'].includes(spec.type))
    report('isEmbeddedJSON: only for object, array and json');
  if (spec.type === 'array') {
    if (spec.element === undefined) report('element: an array needs an element');
    else checkValue(spec.element, `${path}.element`, definitions, seen, problems);
  }
  if (spec.type === 'object') {
    if (spec.fields === undefined) report('fields: an object needs fields; use json for an object without fixed keys');
    else checkFields(spec.fields, `${path}.fields`, definitions, seen, problems);
  }
  return undefined;
}

function checkFields(
  fields: readonly FieldSpec[],
  path: string,
  definitions: Readonly<Record<string, ValueSpec>>,
  seen: readonly string[],
  problems: SchemaProblem[],
): void {
  const columns = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    const at = `${path}.${index}(${field.name})`;
    const column = columnName(field.name).toLowerCase();
    const other = columns.get(column);
    if (other !== undefined)
      problems.push({ path: at, message: `name: "${field.name}" and "${other}" would share one column` });
    columns.set(column, field.name);
    if (field.name.toLowerCase().startsWith('p_'))
      problems.push({ path: at, message: 'name: names that begin with p_ are reserved' });
    if (field.mask && field.type !== 'string') problems.push({ path: at, message: 'mask: only strings can be masked' });
    checkValue(field, at, definitions, seen, problems);
  }
}

function resolved(spec: ValueSpec, definitions: Readonly<Record<string, ValueSpec>>): ValueSpec {
  return spec.type === 'ref' ? resolved(definitions[spec.target ?? ''] ?? { type: 'json' }, definitions) : spec;
}

const columnType = (type: ValueSpec['type']): LakeColumnType =>
  type === 'smallint' ? 'int' : type === 'ref' ? 'json' : type;

function columnOf(field: FieldSpec, definitions: Readonly<Record<string, ValueSpec>>): LakeColumn {
  const spec = resolved(field, definitions);
  const base = { name: columnName(field.name), type: columnType(spec.type) };
  if (spec.type !== 'array') return base;
  return { ...base, element: columnType(resolved(spec.element ?? { type: 'json' }, definitions).type) };
}

function build(spec: SchemaSpec): CompiledSchema {
  const definitions = spec.definitions ?? {};
  const native = spec.parser?.native === undefined ? undefined : nativeParser(spec.parser.native.name);
  const compile = { definitions, scanAws: native?.reads === 'records' && native.scanAws === true, rank: 0 };
  const fields = fieldDecoders(spec.fields, '', compile);
  const known = new Set([
    ...fields.map((field) => field.name),
    ...spec.fields.flatMap((field) => (field.rename ? [field.rename.from] : [])),
  ]);
  const transform = transformerOf(spec.fields);
  const decode = (event: Event): DecodeResult => {
    const context: DecodeContext = {
      indicators: new IndicatorSet(),
      eventTimeMs: undefined,
      eventTimeRank: Infinity,
      reason: '',
    };
    const source = transform === undefined ? event : transform(event);
    const result: Record<string, unknown> = {};
    for (const field of fields) {
      const value = decodeField(field, source, context);
      if (value === misfit) return { kind: 'misfit', reason: context.reason };
      if (value !== undefined) setKey(result, field.outputName, value);
    }
    let extra: Record<string, unknown> | undefined;
    for (const key in source) {
      if (known.has(key) || !Object.hasOwn(source, key) || source[key] === null) continue;
      extra ??= {};
      setKey(extra, key, source[key]);
    }
    if (extra !== undefined) result['p_extra'] = extra;
    return {
      kind: 'event',
      decoded: { fields: result, indicators: context.indicators, eventTimeMs: context.eventTimeMs },
    };
  };
  const readsJson = spec.parser === undefined || native?.reads === 'records';
  const decodeRecord = native?.reads === 'records' && native.reshape ? reshaping(native.reshape, decode) : decode;
  return {
    name: spec.schema,
    columns: spec.fields.map((field) => columnOf(field, definitions)),
    readsJson,
    requiredKeys: decodeRecord === decode && readsJson ? requiredKeys(spec) : undefined,
    forBatch(parseTime) {
      const parse: TextParser | undefined = readsJson ? undefined : lineParser(spec, native, parseTime);
      return {
        decodeJson: (event) =>
          isJsonObject(event) ? decodeRecord(event) : { kind: 'misfit', reason: 'the record is not a JSON object' },
        decodeText(line) {
          if (parse === undefined) return { kind: 'misfit', reason: 'the record is not JSON' };
          const parsed = parse(line);
          return parsed.kind === 'fields' ? decode(parsed.fields) : parsed;
        },
      };
    },
  };
}

const requiredKeys = ({ fields }: SchemaSpec): ReadonlySet<string> =>
  new Set(
    fields
      .filter(({ required, rename, copy, concat, split }) => required && !(rename ?? copy ?? concat ?? split))
      .map(({ name }) => name),
  );

function lineParser(spec: SchemaSpec, native: NativeParser | undefined, parseTime: Date): TextParser {
  if (native?.reads !== 'lines') return textParser(spec.parser ?? {}, spec.fields);
  return (line) => {
    const fields = native.read(line, parseTime);
    return fields === undefined
      ? { kind: 'misfit', reason: `the line is not of the form of ${spec.schema}` }
      : { kind: 'fields', fields };
  };
}

/** A record of several events fits when all of them do; one without any is no event. */
function reshaping(
  reshape: (event: Event) => readonly Event[],
  decode: (event: Event) => DecodeResult,
): (event: Event) => DecodeResult {
  return (event) => {
    const decoded: Decoded[] = [];
    for (const part of reshape(event)) {
      const result = decode(part);
      if (result.kind !== 'event') return result;
      decoded.push(result.decoded);
    }
    const [first, ...more] = decoded;
    return first === undefined ? { kind: 'nothing' } : { kind: 'event', decoded: first, more };
  };
}

/** Checks and compiles a schema. Problems name the place and say what to do; all are reported at once. */
export function compileSchema(
  text: string,
): { readonly schema: CompiledSchema; readonly spec: SchemaSpec } | { readonly problems: readonly SchemaProblem[] } {
  const read = readSchemaSpec(text);
  if ('problems' in read) return read;
  const problems: SchemaProblem[] = [];
  const definitions = read.spec.definitions ?? {};
  checkFields(read.spec.fields, 'fields', definitions, [], problems);
  if (problems.length === 0) {
    try {
      if (read.spec.parser && read.spec.parser.native === undefined) textParser(read.spec.parser, []);
      return { schema: build(read.spec), spec: read.spec };
    } catch (error) {
      problems.push({ path: 'parser', message: error instanceof Error ? error.message : 'cannot be used' });
    }
  }
  return { problems };
}
