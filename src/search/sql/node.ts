import { z } from 'zod';
import { type Place, SqlProblem } from '../language/sql-problem.ts';

/**
 * Reading of the parser's tree. It is data from a foreign library: every access is checked, and a part that this room
 * does not know is refused rather than skipped.
 */
export type Node = Readonly<Record<string, unknown>>;

const nodeShape = z.record(z.string(), z.unknown());
const placeShape = z.object({ span: z.object({ start: z.object({ line: z.number(), column: z.number() }) }) });

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{Tag: body}` or the bare word `Tag`. */
export function tagged(value: unknown): { readonly tag: string; readonly body: unknown } {
  if (typeof value === 'string') return { tag: value, body: undefined };
  if (!isNode(value)) throw new SqlProblem('This part of the statement cannot be read.');
  const tag = Object.keys(value)[0] ?? '';
  return { tag, body: value[tag] };
}

export function nodeOf(value: unknown): Node {
  const parsed = nodeShape.safeParse(value);
  if (!parsed.success) throw new SqlProblem('This part of the statement cannot be read.');
  return parsed.data;
}

export const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as readonly unknown[]) : [];

const isAbsent = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 'None' ||
  (Array.isArray(value) && value.length === 0);

/** Where a node begins, as far as the parser remembers: the first place found in it. */
export function placeOf(value: unknown, depth = 0): Place | undefined {
  if (depth > 12 || typeof value !== 'object' || value === null) return undefined;
  const own = placeShape.safeParse(value);
  if (own.success && own.data.span.start.line > 0) return own.data.span.start;
  for (const child of Object.values(value)) {
    const found = placeOf(child, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Refuses a node that carries any of these parts. `words` says how the user wrote it. */
export function refuseParts(node: Node, parts: Readonly<Record<string, string>>): void {
  for (const [name, words] of Object.entries(parts))
    if (!isAbsent(node[name])) throw new SqlProblem(`${words} is not supported.`, { place: placeOf(node[name]) });
}

export type Identifier = { readonly text: string; readonly isQuoted: boolean; readonly place: Place | undefined };

export function identifierOf(value: unknown): Identifier {
  const node = nodeOf(value);
  const { value: text, quote_style: quote } = node;
  if (typeof text !== 'string') throw new SqlProblem('A name is expected here.', { place: placeOf(value) });
  return { text, isQuoted: typeof quote === 'string', place: placeOf(node) };
}

/** A dotted name: `panther_logs.public.aws_cloudtrail`, `count`. */
export function objectName(value: unknown): readonly Identifier[] {
  return listOf(value).map((part) => {
    const { tag, body } = tagged(part);
    if (tag !== 'Identifier') throw new SqlProblem('A plain name is expected here.', { place: placeOf(part) });
    return identifierOf(body);
  });
}

/** Whether both spell the same name; only a quoted one minds the case. */
export const matches = (wanted: Identifier, name: string): boolean =>
  wanted.isQuoted ? wanted.text === name : wanted.text.toLowerCase() === name.toLowerCase();

/** The literal whole number of a node such as LIMIT 10, or undefined. */
export function wholeNumber(value: unknown): number | undefined {
  const { tag, body } = tagged(value);
  if (tag !== 'Value') return undefined;
  const inner = tagged(nodeOf(body)['value']);
  const digits = inner.tag === 'Number' ? String(listOf(inner.body)[0]) : undefined;
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
