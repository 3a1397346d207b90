import { SqlProblem } from '../../language/sql-problem.ts';

/** Strings, and what looks like one inside a comment or a quoted name. */
const lexeme =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Escapes that stand for another character; after any other character ClickHouse keeps the backslash. */
const known = new Set(['\\', "'", '"', '`', '/', '0', 'a', 'b', 'e', 'f', 'n', 'r', 't', 'v']);

/**
 * Backslashes that ClickHouse keeps in a string (`'\d+'`, `LIKE '100\%'`) are doubled, since the parser would drop them.
 * Throws SqlProblem for escapes that it would read as something else.
 */
export function keepEscapes(sql: string): string {
  return sql.replaceAll(lexeme, (text) => {
    if (!text.startsWith("'")) return text;
    return text.replaceAll(/\\([\s\S])/g, (escape, char: string) => {
      if (char === 'x' || char === 'N')
        throw new SqlProblem(`the escape ${escape} in a string is not supported.`, {
          suggestion: char === 'x' ? 'Write the character itself.' : 'Write NULL.',
        });
      return known.has(char) ? escape : `\\${escape}`;
    });
  });
}
