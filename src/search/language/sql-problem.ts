/** A place in the user's text: line and column count from 1. */
export type Place = { readonly line: number; readonly column: number };

/** What is wrong with a query, in the words of its author. */
export class SqlProblem extends Error {
  override readonly name = 'SqlProblem';
  readonly place: Place | undefined;
  readonly suggestion: string | undefined;

  constructor(
    message: string,
    options: { readonly place?: Place | undefined; readonly suggestion?: string | undefined } = {},
  ) {
    super(message);
    this.place = options.place;
    this.suggestion = options.suggestion;
  }
}

const shownMax = 120;

/** The line at fault with a caret under the column; long lines are cut around it. */
function excerpt(sql: string, { line, column }: Place): readonly string[] {
  const text = sql.split(/\r\n|\n|\r/)[line - 1];
  if (text === undefined) return [];
  const from = column > shownMax ? column - shownMax / 2 : 0;
  const shown = text.slice(from, from + shownMax).replaceAll('\t', ' ');
  return [shown, `${' '.repeat(Math.max(0, Math.min(column - 1 - from, shown.length)))}^`];
}

/** The problem as the caller of the API reads it: where, what, and what to do. */
export function describeProblem(problem: SqlProblem, sql: string): string {
  const where = problem.place === undefined ? '' : `line ${problem.place.line}, column ${problem.place.column}: `;
  const lines = [`${where}${problem.message}`];
  if (problem.place !== undefined) lines.push(...excerpt(sql, problem.place));
  if (problem.suggestion !== undefined) lines.push(problem.suggestion);
  return lines.join('\n');
}
