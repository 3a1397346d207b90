import { didYouMean } from '../language/near-names.ts';
import { type Place, SqlProblem } from '../language/sql-problem.ts';
import type { Catalogue, CatalogueTable } from './catalogue.ts';

/** `panther_logs`, `panther_logs.public`: what a bare table name is looked up in. */
export function databaseNameOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/\.public$/, '');
}

const fold = (parts: readonly string[]): readonly string[] => parts.map((part) => part.toLowerCase());

/** `snowflake.account_usage.query_history` is the log type Snowflake.QueryHistory. */
function snowflakeTable(catalogue: Catalogue, name: string): CatalogueTable | undefined {
  const wanted = `snowflake_${name.replaceAll('_', '')}`;
  return catalogue.databases
    .find((database) => database.name === 'panther_logs')
    ?.tables.find((table) => table.name === wanted);
}

/**
 * The table that a dotted name means: `table`, `database.table` or `database.public.table`, in any case.
 * Throws SqlProblem with near names when there is none.
 */
export function findTable(
  catalogue: Catalogue,
  parts: readonly string[],
  defaultDatabase: string,
  place?: Place,
): CatalogueTable {
  const names = fold(parts);
  const written = parts.join('.');
  const table = names.at(-1) ?? '';
  if (names.length > 3)
    throw new SqlProblem(`"${written}" has too many parts. Write database.public.table.`, { place });
  if (names[0] === 'snowflake' && names[1] === 'account_usage') {
    const found = snowflakeTable(catalogue, table);
    if (found !== undefined) return found;
    const known = catalogue.databases.find(({ name }) => name === 'panther_logs')?.tables.map(({ name }) => name) ?? [];
    throw new SqlProblem(`there is no table "${written}".`, {
      place,
      suggestion: didYouMean(`snowflake_${table.replaceAll('_', '')}`, known),
    });
  }
  if (names.length === 3 && names[1] !== 'public')
    throw new SqlProblem(`there is no schema "${parts[1]}" in "${parts[0]}".`, {
      place,
      suggestion: `Write ${parts[0]}.public.${parts[2]}.`,
    });
  const wanted = names.length === 1 ? defaultDatabase : (names[0] ?? '');
  const database = catalogue.databases.find(({ name }) => name === wanted);
  if (database === undefined) {
    const known = catalogue.databases.map(({ name }) => name);
    throw new SqlProblem(`there is no database "${names.length === 1 ? defaultDatabase : parts[0]}".`, {
      place,
      suggestion: didYouMean(wanted, known) ?? `Databases: ${known.join(', ')}.`,
    });
  }
  const found = database.tables.find(({ name }) => name === table);
  if (found !== undefined) return found;
  throw new SqlProblem(`there is no table "${written}".`, {
    place,
    suggestion:
      database.absence ??
      didYouMean(
        table,
        database.tables.map(({ name }) => name),
      ) ??
      `${database.name} has ${database.tables.length} tables; list them with dataLakeDatabaseTables.`,
  });
}
