import { type Actor, admit } from '#access';
import { notFound } from '#platform/errors';
import type { CatalogueDatabase, CatalogueTable } from '../catalogue/catalogue.ts';
import { databaseNameOf, findTable } from '../catalogue/find-table.ts';
import { SqlProblem } from '../language/sql-problem.ts';
import {
  dataLakeDatabase,
  dataLakeDatabases,
  dataLakeDatabaseTable,
  dataLakeDatabaseTables,
} from '../search-operations.ts';
import { createCatalogues, offsetCursor, parseOffset, type QueryDeps } from './query-deps.ts';

type TablePage = { readonly tables: readonly CatalogueTable[]; readonly endCursor: string | null };

/** Databases, tables and columns of the lake, as far as the caller may read them. */
export type LakeDirectory = {
  databases(actor: Actor, input: unknown): Promise<readonly CatalogueDatabase[]>;
  database(actor: Actor, input: unknown): Promise<CatalogueDatabase>;
  table(actor: Actor, input: unknown): Promise<CatalogueTable>;
  tables(actor: Actor, input: unknown): Promise<TablePage>;
};

export function createLakeDirectory(deps: Pick<QueryDeps, 'database' | 'schemas'>): LakeDirectory {
  const catalogueOf = createCatalogues(deps);
  const databaseOf = async (actor: Actor, name: string): Promise<CatalogueDatabase> => {
    const { databases } = await catalogueOf(actor);
    const found = databases.find((database) => database.name === databaseNameOf(name));
    if (found === undefined) throw notFound('database', name);
    return found;
  };
  return {
    async databases(actor, input) {
      admit(actor, dataLakeDatabases, input);
      return (await catalogueOf(actor)).databases;
    },
    async database(actor, input) {
      const { name } = admit(actor, dataLakeDatabase, input);
      return databaseOf(actor, name);
    },
    async table(actor, input) {
      const { databaseName, tableName } = admit(actor, dataLakeDatabaseTable, input);
      const catalogue = await catalogueOf(actor);
      try {
        return findTable(catalogue, [databaseNameOf(databaseName), tableName], databaseName);
      } catch (error) {
        if (error instanceof SqlProblem) throw notFound('table', `${databaseName}.${tableName}`);
        throw error;
      }
    },
    async tables(actor, input) {
      const { databaseName, cursor, pageSize } = admit(actor, dataLakeDatabaseTables, input);
      const { tables } = await databaseOf(actor, databaseName);
      const offset = parseOffset(cursor);
      const end = offset + (pageSize ?? 25);
      return { tables: tables.slice(offset, end), endCursor: end < tables.length ? offsetCursor(end) : null };
    },
  };
}
