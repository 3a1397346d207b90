import type { FastmatchSpec } from '../schemas/schema-spec.ts';
import type { LineReader } from './line-reader.ts';

type Piece = { readonly name: string; readonly delimiter: string; readonly quote: string | undefined };
type Pattern = { readonly prefix: string; readonly pieces: readonly Piece[] };

function compile(text: string): Pattern {
  const placeholders = [...text.matchAll(/%\{\s*([^}]*?)\s*\}/g)];
  if (placeholders.length === 0) throw new Error(`fastmatch: the pattern ${JSON.stringify(text)} has no %{field}`);
  const pieces = placeholders.map((match, index): Piece => {
    const end = match.index + match[0].length;
    const next = placeholders[index + 1];
    const delimiter = text.slice(end, next?.index);
    if (next !== undefined && delimiter === '')
      throw new Error(`fastmatch: put text between the fields of ${JSON.stringify(text)}`);
    const before = text[match.index - 1];
    const isQuoted = (before === '"' || before === "'") && delimiter.startsWith(before);
    return { name: match[1] ?? '', delimiter, quote: isQuoted ? before : undefined };
  });
  return { prefix: text.slice(0, placeholders[0]?.index), pieces };
}

/** End of a value: the first delimiter, or for a quoted value the first that does not follow a backslash. */
function endOf(line: string, start: number, { delimiter, quote }: Piece): number {
  let end = line.indexOf(delimiter, start);
  while (quote !== undefined && end > start && line[end - 1] === '\\') end = line.indexOf(delimiter, end + 1);
  return end;
}

const unescape = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, character: string) => ({ n: '\n', t: '\t', r: '\r' })[character] ?? character);

function match(line: string, { prefix, pieces }: Pattern): ReadonlyMap<string, string> | undefined {
  if (!line.startsWith(prefix)) return undefined;
  const fields = new Map<string, string>();
  let position = prefix.length;
  for (const piece of pieces) {
    const end = piece.delimiter === '' ? line.length : endOf(line, position, piece);
    if (end === -1) return undefined;
    const raw = line.slice(position, end);
    if (piece.name !== '') fields.set(piece.name, piece.quote === undefined ? raw : unescape(raw));
    position = end + piece.delimiter.length;
  }
  return fields;
}

/** The patterns in order; the first that matches gives the fields. */
export function fastmatchFields(spec: FastmatchSpec): LineReader {
  const patterns = spec.match.map((text) => compile(text.replace(/\n$/, '')));
  return (line) => {
    for (const pattern of patterns) {
      const fields = match(line, pattern);
      if (fields !== undefined) return fields;
    }
    return undefined;
  };
}
