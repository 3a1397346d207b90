import { SqlProblem } from '../language/sql-problem.ts';
import { keepEscapes } from './clickhouse/keep-escapes.ts';
import type { DialectName } from './dialect.ts';

/** Longest statement in characters. */
const charactersMax = 100_000;

type Token = { readonly kind: 'text' | 'macro' | 'space'; readonly from: number; readonly to: number };

/** Strings, quoted names and comments are passed over whole; macro names are found outside of them. */
const lexeme =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\bp_occurs_[a-z]+\s*\(/gi;

function macros(sql: string): readonly Token[] {
  return [...sql.matchAll(lexeme)]
    .filter(([text]) => /^p_occurs_/i.test(text))
    .map((match) => ({ kind: 'macro', from: match.index, to: match.index + match[0].length }));
}

/** Place just after the parenthesis that closes the one before `from`, or -1. */
function closingAfter(sql: string, from: number): number {
  let depth = 1;
  for (let at = from; at < sql.length; at++) {
    const char = sql[at];
    if (char === "'") at = sql.indexOf("'", at + 1);
    if (at < 0) return -1;
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** `1h` and `1 day` become texts, an empty argument becomes NULL; the length of everything else stays. */
function argumentsAsSql(text: string): string {
  if (text.trim() === '') return text;
  return text
    .split(',')
    .map((argument) => {
      const trimmed = argument.trim();
      if (trimmed === '') return ' null';
      return /^\d+\s*[a-z]+$/i.test(trimmed) ? argument.replace(trimmed, `'${trimmed}'`) : argument;
    })
    .join(',');
}

/**
 * Makes the forms of `p_occurs_…` that are no SQL readable for a parser. Throws SqlProblem when the text is too long or
 * holds characters that no statement needs.
 */
export function prepareText(sql: string, dialect: DialectName): string {
  if (sql.trim() === '') throw new SqlProblem('The statement is empty.');
  if (sql.length > charactersMax)
    throw new SqlProblem(`The statement has ${sql.length} characters; the most is ${charactersMax}.`);
  if (/[\0\u202a-\u202e\u2066-\u2069]/.test(sql))
    throw new SqlProblem('The statement holds control characters (NUL or a change of writing direction). Remove them.');
  let result = '';
  let at = 0;
  for (const { from, to } of macros(sql)) {
    if (from < at) continue;
    const end = closingAfter(sql, to);
    if (end < 0) break;
    result += sql.slice(at, to) + argumentsAsSql(sql.slice(to, end));
    at = end;
  }
  // Some editors begin a file with a mark of its byte order, which no statement means.
  const prepared = (result + sql.slice(at)).replace(/^\uFEFF/, ' ');
  return dialect === 'clickhouse' ? keepEscapes(prepared) : prepared;
}
