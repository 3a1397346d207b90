import type { LakeClient, ReadOptions } from '#platform/lake-client';
import { textLiteral } from './ddl.ts';

/** A table that a query of a user reads, and which of its rows: SQL over its columns, or all. */
export type ReadTable = { readonly database: string; readonly table: string; readonly where: string | null };

export type QueryReadOptions = ReadOptions & {
  /** All that the query may see, whatever its text says. */
  readonly tables: readonly ReadTable[];
};

/** Where queries of users run: a process of their own beside the embedded lake, or the server. */
export type QueryEngine = {
  /** Lines in the format JSONCompactEachRow, as they come; throws QueryStopped. */
  lines(sql: string, options: QueryReadOptions): AsyncIterable<readonly string[]>;
  /** How much a running query has read so far; zero when there is none with that id. */
  progress(queryId: string): Promise<{ readonly readRows: number; readonly readBytes: number }>;
};

/** Rows that the query may see of each table, as the engine's setting for it; undefined when it may see all of them. */
function tableFilters(tables: readonly ReadTable[]): string | undefined {
  const filters = tables.flatMap(({ database, table, where }) =>
    where === null ? [] : [`${textLiteral(`${database}.${table}`)}: ${textLiteral(where)}`],
  );
  return filters.length === 0 ? undefined : `{${filters.join(', ')}}`;
}

/**
 * Queries go to the server that also takes the loads. `reader` is the connection of the user they run as. The server
 * holds each to the rows that its plan names, whatever its text says; which tables there are is a matter of that user's
 * grants.
 */
export const createServerQueryEngine = (
  client: Pick<LakeClient, 'lines' | 'progress'>,
  reader: Pick<LakeClient, 'lines'> = client,
): QueryEngine => ({
  lines(sql, { tables, ...options }) {
    const filters = tableFilters(tables);
    // Before the other settings: their last one forbids changes.
    const settings =
      filters === undefined ? options.settings : { additional_table_filters: filters, ...options.settings };
    return reader.lines(sql, { ...options, settings });
  },
  progress: (queryId) => client.progress(queryId),
});
