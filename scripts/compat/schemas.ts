/**
 * `npm run compat -- schemas --content DIR`: every event in the unit tests of a detection repository against the schema
 * of its log type. Prints a table; exits 1 when an event does not fit or something of it is lost.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { loadContentDirectory } from '#detections';
import { managedSchemas } from '#ingestion';
import { parse as parseYaml, stringify } from 'yaml';
import { type CompiledSchema, compileSchema } from '../../src/ingestion/schemas/compiled-schema.ts';
import { columnName } from '../../src/ingestion/schemas/decoders.ts';
import { type FieldSpec, readSchemaSpec, type ValueSpec } from '../../src/ingestion/schemas/schema-spec.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

type Json = Readonly<Record<string, unknown>>;
type Sample = { readonly rule: string; readonly logType: string; readonly event: Json };
type Row = { events: number; fits: number; partial: number; lost: number; misfits: number };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The events of rules' tests. One without a log type of its own counts for the only one of its rule. */
async function readSamples(folder: string): Promise<readonly Sample[]> {
  const { items } = await loadContentDirectory(folder);
  return items.flatMap(({ id, spec }) => {
    if (spec.AnalysisType !== 'rule' || !('Tests' in spec)) return [];
    const types = 'LogTypes' in spec ? (spec.LogTypes ?? []) : [];
    return (spec.Tests ?? []).flatMap(({ Log: log }): Sample[] => {
      const event: unknown = log;
      if (!isObject(event)) return [];
      const own = event['p_log_type'];
      const logType = typeof own === 'string' ? own : types.length === 1 ? types[0] : undefined;
      return logType === undefined ? [] : [{ rule: id, logType, event }];
    });
  });
}

/** Times in tests are as rules see them, so the schema takes that form too; `isWhole` keeps what it requires. */
function forNormalized(spec: ValueSpec, isWhole: boolean): Json {
  const { required, ...rest } = spec as FieldSpec;
  return {
    ...rest,
    ...(isWhole && required ? { required } : {}),
    ...(spec.timeFormats && { timeFormats: [...new Set([...spec.timeFormats, 'rfc3339', 'unix_auto'])] }),
    ...(spec.element && { element: forNormalized(spec.element, isWhole) }),
    ...(spec.fields && { fields: spec.fields.map((field) => forNormalized(field, isWhole)) }),
  };
}

function variant(specText: string, isWhole: boolean): CompiledSchema {
  const read = readSchemaSpec(specText);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const fields = read.spec.fields.map((field) => {
    const { copy: _copy, rename: _rename, ...plain } = field;
    return forNormalized(field.copy ? { ...plain, required: false } : plain, isWhole);
  });
  const definitions = Object.entries(read.spec.definitions ?? {}).map(([name, spec]) => [
    name,
    forNormalized(spec, isWhole),
  ]);
  const result = compileSchema(
    stringify(
      { schema: read.spec.schema, definitions: Object.fromEntries(definitions) as Json, fields },
      { aliasDuplicateObjects: false },
    ),
  );
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.schema;
}

/** Keys of a row under the names that the schema reads: columns are spelled out, and events ignore case. */
function asRead(event: Json, fields: readonly FieldSpec[]): Json {
  const byColumn = new Map(fields.map((field) => [columnName(field.name).toLowerCase(), field]));
  const entries = Object.entries(event).map(([key, value]) => {
    const field = byColumn.get(columnName(key).toLowerCase());
    const inner = field?.fields ?? field?.element?.fields;
    const read = (item: unknown) => (inner && isObject(item) ? asRead(item, inner) : item);
    return [field?.name ?? key, Array.isArray(value) ? value.map(read) : read(value)] as const;
  });
  return Object.fromEntries(entries) as Json;
}

/** Paths of values that are in the event and not in the row. Types may have changed: "5" for 5, one form of a time. */
function lostPaths(before: unknown, after: unknown, path: string): readonly string[] {
  if (before === null || before === undefined || before === '' || isDeepStrictEqual(before, after)) return [];
  if (isObject(before) && isObject(after))
    return Object.entries(before).flatMap(([key, value]) =>
      lostPaths(value, after[columnName(key)] ?? after[key], `${path}.${key}`),
    );
  if (Array.isArray(before) && Array.isArray(after))
    return before.flatMap((value, index) => lostPaths(value, after[index], `${path}[]`));
  const isScalar = ![before, after].some(
    (value) => value === undefined || (typeof value === 'object' && value !== null && !('rawJSON' in value)),
  );
  return isScalar ? [] : [path];
}

function createChecker() {
  const variants = new Map<string, { whole: CompiledSchema; loose: CompiledSchema; fields: readonly FieldSpec[] }>();
  return (logType: string, event: Json): { readonly kind: keyof Row; readonly reason: string } | undefined => {
    const managed = managedSchemas().get(logType);
    if (managed === undefined) return undefined;
    let found = variants.get(logType);
    if (found === undefined) {
      const fields = (parseYaml(managed.specText) as { readonly fields: readonly FieldSpec[] }).fields;
      found = { whole: variant(managed.specText, true), loose: variant(managed.specText, false), fields };
      variants.set(logType, found);
    }
    const own = Object.entries(event).filter(([key]) => !key.startsWith('p_'));
    const given = asRead(Object.fromEntries(own), found.fields);
    const now = new Date();
    const whole = found.whole.forBatch(now).decodeJson(given);
    const result = whole.kind === 'event' ? whole : found.loose.forBatch(now).decodeJson(given);
    if (result.kind !== 'event') return { kind: 'misfits', reason: result.kind === 'misfit' ? result.reason : '' };
    const { fields } = result.decoded;
    const lost = lostPaths(given, { ...fields, ...(fields['p_extra'] as Json | undefined) }, '');
    if (lost.length > 0) return { kind: 'lost', reason: `lost ${lost.join(', ')}` };
    return whole.kind === 'event'
      ? { kind: 'fits', reason: '' }
      : { kind: 'partial', reason: whole.kind === 'misfit' ? whole.reason : '' };
  };
}

/** Runs the comparison; returns the exit code. */
export async function runSchemas(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { content: { type: 'string', default: 'content' }, verbose: { type: 'boolean', default: false } },
  });
  const rows = new Map<string, Row>();
  const without = new Map<string, number>();
  const check = createChecker();
  for (const { rule, logType, event } of await readSamples(values.content)) {
    const result = check(logType, event);
    if (result === undefined) {
      without.set(logType, (without.get(logType) ?? 0) + 1);
      continue;
    }
    const row = rows.get(logType) ?? { events: 0, fits: 0, partial: 0, lost: 0, misfits: 0 };
    rows.set(logType, row);
    row.events += 1;
    row[result.kind] += 1;
    if (['lost', 'misfits'].includes(result.kind) || (values.verbose && result.reason !== ''))
      say(`${result.kind} ${logType} (${rule}): ${result.reason}`);
  }
  say('LOG TYPE                                  EVENTS    FIT  CUT SHORT   LOST  MISFIT');
  const line = (name: string, row: Row) =>
    say(
      `${name.padEnd(40)} ${[row.events, row.fits, row.partial, row.lost, row.misfits].map((n, i) => String(n).padStart([7, 6, 10, 6, 7][i] ?? 6)).join(' ')}`,
    );
  for (const [logType, row] of [...rows].toSorted(([, a], [, b]) => b.events - a.events)) line(logType, row);
  const sum = (key: keyof Row) => [...rows.values()].reduce((total, row) => total + row[key], 0);
  line('all', {
    events: sum('events'),
    fits: sum('fits'),
    partial: sum('partial'),
    lost: sum('lost'),
    misfits: sum('misfits'),
  });
  for (const [logType, count] of without) say(`no schema: ${logType} (${count} events)`);
  say('"Cut short" are events that fit once nothing is required: authors leave fields out of their tests.');
  return sum('lost') + sum('misfits') === 0 ? 0 : 1;
}
