import type { Catalogue } from '../catalogue/catalogue.ts';
import { databaseNameOf } from '../catalogue/find-table.ts';
import { SqlProblem } from '../language/sql-problem.ts';
import type { Query } from '../plan/plan.ts';
import { bindExpression } from './bind-expression.ts';
import { bindQuery } from './bind-query.ts';
import type { Binder } from './binder.ts';
import { type DialectName, dialectOf, dialects } from './dialect.ts';
import { tagged } from './node.ts';
import { parseStatements } from './parser-thread.ts';
import { prepareText } from './prepare-text.ts';
import { emptyScope } from './scope.ts';

/** Tables that one statement may read, each as often as it is read. */
const scansMax = 400;

export type CompileOptions = {
  readonly catalogue: Catalogue;
  /** Where a bare table name is looked up; `panther_logs` when absent. */
  readonly databaseName?: string | undefined;
  readonly now: Date;
  /** The language of the text; when absent, what its pragma says, else Snowflake's. */
  readonly dialect?: DialectName | undefined;
};

export type CompiledSql = {
  readonly query: Query;
  /** Log types whose rows may come back; undefined among them when a table holds many. */
  readonly logTypes: ReadonlySet<string | undefined>;
};

function createBinder(
  { catalogue, databaseName = 'panther_logs', now }: CompileOptions,
  dialect: DialectName,
): {
  readonly binder: Binder;
  readonly logTypes: ReadonlySet<string | undefined>;
} {
  const counts = { t: 0, c: 0, q: 0, f: 0, p: 0 };
  let scans = 0;
  const logTypes = new Set<string | undefined>();
  const binder: Binder = {
    dialect: dialects[dialect],
    catalogue,
    defaultDatabase: databaseNameOf(databaseName),
    now,
    fresh(kind) {
      counts[kind] += 1;
      return `${kind}${counts[kind]}`;
    },
    expr: (node, at) => bindExpression(binder, node, at),
    query: (node, at) => bindQuery(binder, node, at),
    countScans(more) {
      scans += more;
      if (scans > scansMax)
        throw new SqlProblem(`the statement reads more than ${scansMax} tables, counted as often as it reads them.`, {
          suggestion: 'Name the log types you need, or use fewer WITH queries that build on one another.',
        });
    },
    scans: () => scans,
    noteLogType: (logType) => void logTypes.add(logType),
  };
  return { binder, logTypes };
}

/** The one statement of the text. Throws SqlProblem unless it is exactly one query. */
export async function parseStatement(sql: string, dialect: DialectName): Promise<unknown> {
  const [statement, ...more] = await parseStatements(prepareText(sql, dialect), dialect);
  if (statement === undefined) throw new SqlProblem('The statement is empty.');
  if (more.length > 0) throw new SqlProblem(`there are ${more.length + 1} statements; send one at a time.`);
  const { tag, body } = tagged(statement);
  if (tag !== 'Query')
    throw new SqlProblem(
      `${tag.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase()} is not allowed: only SELECT is.`,
    );
  return body;
}

/**
 * Compiles SQL of Snowflake or ClickHouse to a bound plan over the caller's own catalogue.
 * Throws SqlProblem saying where and what; nothing of the text goes any further than the plan.
 */
export async function compileSql(sql: string, options: CompileOptions): Promise<CompiledSql> {
  const dialect = dialectOf(sql, options.dialect);
  const body = await parseStatement(sql, dialect);
  const { binder, logTypes } = createBinder(options, dialect);
  return { query: binder.query(body, { scope: emptyScope, ctes: [] }), logTypes };
}
