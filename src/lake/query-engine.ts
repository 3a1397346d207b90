import type { LakeClient, ReadOptions } from '#platform/lake-client';

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

/** Queries go to the server that also takes the loads; its own limits hold them. */
export const createServerQueryEngine = (client: Pick<LakeClient, 'lines' | 'progress'>): QueryEngine => ({
  lines: (sql, { tables: _tables, ...options }) => client.lines(sql, options),
  progress: (queryId) => client.progress(queryId),
});
