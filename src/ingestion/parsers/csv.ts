import type { CsvSpec } from '../schemas/schema-spec.ts';
import type { LineReader } from './line-reader.ts';

/** Values of one line. Quotes are lazy: one inside an unquoted value is an ordinary character (RFC 4180, relaxed). */
export function splitCsv(line: string, delimiter: string): readonly string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const values: string[] = [];
  let position = 0;
  for (;;) {
    if (line[position] !== '"') {
      const end = line.indexOf(delimiter, position);
      values.push(line.slice(position, end === -1 ? undefined : end));
      if (end === -1) return values;
      position = end + 1;
      continue;
    }
    let value = '';
    let start = position + 1;
    for (;;) {
      const quote = line.indexOf('"', start);
      if (quote === -1) return [...values, value + line.slice(start)];
      value += line.slice(start, quote);
      const next = line[quote + 1];
      if (next === undefined) return [...values, value];
      if (next === delimiter) {
        position = quote + 2;
        break;
      }
      value += '"';
      start = next === '"' ? quote + 2 : quote + 1;
    }
    values.push(value);
  }
}

/** A line is taken for the header when it names so many known fields: no event may be swallowed in its place. */
const headerNamesMin = 5;

/** Names that a header may have, and of which it has one of each group: without them no line below can fit. */
export type HeaderNames = { readonly known: ReadonlySet<string>; readonly needed: readonly (readonly string[])[] };

/**
 * Reads by the columns of the spec or by the names of the first line. A first line that does not have the names of the
 * schema does not match, and the next line is looked at instead.
 */
export function csvFields(spec: CsvSpec, { known, needed }: HeaderNames): LineReader {
  const delimiter = (spec.delimiter ?? ',').slice(0, 1);
  if (!spec.hasHeader && spec.columns === undefined) throw new Error('csv: needs columns, or hasHeader: true');
  let names: readonly string[] | undefined = spec.columns;
  let isHeaderNext = spec.hasHeader === true;
  return (line) => {
    const values = splitCsv(line, delimiter);
    if (isHeaderNext) {
      const header = values.map((value) => value.trim());
      const count = header.filter((value) => known.has(value)).length;
      if (count < Math.min(headerNamesMin, known.size)) return undefined;
      if (spec.columns === undefined && !needed.every((group) => group.some((name) => header.includes(name))))
        return undefined;
      isHeaderNext = false;
      names ??= header;
      return 'nothing';
    }
    if (spec.columns === undefined && values.length !== names?.length) return undefined;
    const fields = new Map<string, string>();
    for (const [index, name] of (names ?? []).entries()) if (name !== '') fields.set(name, values[index] ?? '');
    return fields;
  };
}
