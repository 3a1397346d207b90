import type { CsvSpec, FastmatchSpec, FieldSpec, RegexSpec, TextParserOptions } from '../schemas/schema-spec.ts';
import { csvFields, type HeaderNames } from './csv.ts';
import { fastmatchFields } from './fastmatch.ts';
import type { Event, LineReader, TextParser } from './line-reader.ts';
import { regexFields } from './regex.ts';

type ParserSpec = {
  readonly csv?: CsvSpec | undefined;
  readonly fastmatch?: FastmatchSpec | undefined;
  readonly regex?: RegexSpec | undefined;
};

function expand(template: string, fields: Event): string {
  return template.replaceAll(/%\{\s*([^}]*?)\s*\}/g, (_, name: string) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return typeof value === 'string' ? value : '';
  });
}

function withOptions(read: LineReader, options: TextParserOptions, what: string): TextParser {
  const isEmpty = new Set(options.emptyValues);
  const expansions = Object.entries(options.expandFields ?? {});
  // A template that is one placeholder is a rename: the value is not kept twice.
  const renamed = expansions.flatMap(([, template]) => /^%\{\s*([^}]*?)\s*\}$/.exec(template)?.[1] ?? []);
  let linesToSkip = options.skipLines ?? 0;
  return (line) => {
    if (linesToSkip > 0) {
      linesToSkip -= 1;
      return { kind: 'nothing' };
    }
    if (options.skipPrefix !== undefined && line.startsWith(options.skipPrefix)) return { kind: 'nothing' };
    const values = read(line);
    if (values === 'nothing') return { kind: 'nothing' };
    if (values === undefined) return { kind: 'misfit', reason: `the line does not match the ${what}` };
    const fields: Event = Object.create(null);
    for (const [name, raw] of values) {
      const value = options.trimSpace ? raw.trim() : raw;
      if (!isEmpty.has(value)) fields[name] = value;
    }
    for (const [name, template] of expansions) {
      const value = expand(template, fields);
      if (value !== '' && !isEmpty.has(value)) fields[name] = value;
    }
    for (const name of renamed) if (!expansions.some(([target]) => target === name)) delete fields[name];
    return { kind: 'fields', fields };
  };
}

type NamedField = Pick<FieldSpec, 'name' | 'required' | 'rename' | 'copy' | 'concat' | 'split'>;

/** Names under which a CSV header may give values to the schema: its fields and what its templates refer to. */
function headerNames(csv: CsvSpec, fields: readonly NamedField[]): HeaderNames {
  const sources = new Map(
    Object.entries(csv.expandFields ?? {}).map(([name, template]) => [
      name,
      [...template.matchAll(/%\{\s*([^}]*?)\s*\}/g)].map((match) => match[1] ?? ''),
    ]),
  );
  const isMade = ({ rename, copy, concat, split }: NamedField) => rename ?? copy ?? concat ?? split;
  return {
    known: new Set([...fields.map(({ name }) => name), ...[...sources.values()].flat(), ...(csv.columns ?? [])]),
    needed: fields
      .filter((field) => field.required && !isMade(field))
      .map(({ name }) => [name, ...(sources.get(name) ?? [])]),
  };
}

/**
 * Compiles the parser of a schema that reads text. `fields` are the schema's fields.
 * Throws with the reason when it cannot be used.
 */
export function textParser({ csv, fastmatch, regex }: ParserSpec, fields: readonly NamedField[]): TextParser {
  if (csv) return withOptions(csvFields(csv, headerNames(csv, fields)), csv, 'CSV form');
  if (fastmatch) return withOptions(fastmatchFields(fastmatch), fastmatch, 'fastmatch patterns');
  if (regex) return withOptions(regexFields(regex), regex, 'regular expression');
  throw new Error('needs csv, fastmatch or regex');
}
