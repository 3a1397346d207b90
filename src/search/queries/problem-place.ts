import { badInput, type DomainError } from '#platform/errors';
import { describeProblem, type Place, SqlProblem } from '../language/sql-problem.ts';
import { placeInWritten, written } from '../language/summary-search.ts';
import { parseStatement } from '../sql/compile-sql.ts';
import { type DialectName, dialectOf } from '../sql/dialect.ts';

/** A text of the caller inside a statement, and the input that it came with. */
export type Written = { readonly field: string; readonly text: string };

type Statement = {
  /** The input that is to blame when no part is. */
  readonly field: string;
  readonly sql: string;
  /** What of the statement the caller wrote; all of it when absent. */
  readonly parts?: readonly Written[] | undefined;
  readonly dialect?: DialectName | null | undefined;
};

const refusal = (field: string, text: string, { message, suggestion }: SqlProblem, place?: Place): DomainError =>
  badInput(field, `${field}: ${describeProblem(new SqlProblem(message, { place, suggestion }), text)}`);

function locatedIn(parts: readonly Written[], sql: string, problem: SqlProblem): DomainError | undefined {
  for (const { field, text } of parts) {
    const place = problem.place && placeInWritten(sql, text, problem.place);
    if (place !== undefined) return refusal(field, text, problem, place);
  }
  return undefined;
}

/** A parser that finds no way through a subquery blames its beginning; a part that is read alone is blamed where it is. */
async function brokenPart(parts: readonly Written[], sql: string, dialect: DialectName) {
  for (const part of parts.filter(({ text }) => sql.includes(written(text)))) {
    const alone = `SELECT ${written(part.text)}`;
    const problem: unknown = await parseStatement(alone, dialect).catch((error: unknown) => error);
    const located = problem instanceof SqlProblem ? locatedIn([part], alone, problem) : undefined;
    if (located !== undefined) return located;
  }
  return undefined;
}

/** Does the work; what is wrong with the statement is told in the caller's own words, at the place in the caller's text. */
export async function explained<T>(statement: Statement, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SqlProblem)) throw error;
    const { field, sql, parts = [], dialect } = statement;
    throw (
      locatedIn(parts, sql, error) ??
      (await brokenPart(parts, sql, dialectOf(sql, dialect))) ??
      refusal(field, sql, error, error.place)
    );
  }
}
