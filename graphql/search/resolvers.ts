import { type LakeQuery, type ResultPage, typeName, typeWord } from '#search';
import { actorOf } from '../actors.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { page } from '../page.ts';

const statusOf = {
  QUEUED: 'running',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
} as const satisfies Record<LakeQuery['state'], string>;

/** A page of a result in the form that clients read: rows as objects, and the order of their columns beside them. */
function resultsOf({ query, rows, offset, endCursor }: ResultPage, cursor: string | null | undefined) {
  const order = query.columns.map(({ name }) => name);
  const edges = rows.map((row, index) => ({
    id: String(offset + index),
    node: Object.fromEntries(order.map((name, at) => [name, row[at] ?? null])),
  }));
  return {
    actorProfiles: [],
    edges,
    pageInfo: page([], endCursor, cursor).pageInfo,
    columnInfo: { order, types: Object.fromEntries(query.columns.map(({ name, type }) => [name, typeWord(type)])) },
    stats: {
      bytesScanned: query.readBytes,
      executionTime: query.runAt && query.completedAt ? query.completedAt.getTime() - query.runAt.getTime() : 0,
      rowCount: query.rowCount,
    },
    tryAgain: false,
  };
}

export const searchResolvers = {
  Query: {
    dataLakeDatabases: async (_root, _args, { actor, services }) => [...(await services.queries.databases(actor, {}))],
    dataLakeDatabase: (_root, { name }, { actor, services }) => services.queries.database(actor, { name }),
    dataLakeDatabaseTable: (_root, { input }, { actor, services }) => services.queries.table(actor, input),
    dataLakeDatabaseTables: async (_root, { input }, { actor, services }) => {
      const found = await services.queries.tables(actor, input);
      return page(found.tables, found.endCursor, input.cursor);
    },
    dataLakeQuery: (_root, { id }, { actor, services }) => services.queries.get(actor, { id }),
    dataLakeQueries: async (_root, { input }, { actor, services }) => {
      const found = await services.queries.list(actor, input ?? {});
      return page(found.queries, found.endCursor, input?.cursor);
    },
  },
  Mutation: {
    executeDataLakeQuery: (_root, { input }, { actor, services }) => services.queries.execute(actor, input),
    executeIndicatorSearchQuery: (_root, { input }, { actor, services }) =>
      services.queries.searchIndicators(actor, input),
    executeHistogramQuery: (_root, { input }, { actor, services }) => services.queries.histogram(actor, input),
    executeFieldStatisticsQuery: (_root, { input }, { actor, services }) =>
      services.queries.fieldStatistics(actor, input),
    cancelDataLakeQuery: (_root, { input }, { actor, services }) => services.queries.cancel(actor, input),
  },
  DataLakeDatabase: { tables: ({ tables }) => [...tables] },
  DataLakeDatabaseTable: {
    displayName: ({ logType, name }) => logType ?? name,
    columns: ({ columns }) => columns.map((column) => ({ ...column, type: typeName(column.type) })),
  },
  DataLakeQuery: {
    status: ({ state }) => statusOf[state],
    issuedBy: ({ issuer }, _args, { loaders }) => (issuer.kind === 'system' ? null : actorOf(issuer, loaders)),
    progress: ({ readRows, readBytes, rowCount }) => ({ rowsRead: readRows, bytesRead: readBytes, rowCount }),
    results: async ({ id }, { input }, { actor, services }) => {
      const found = await services.queries.results(actor, { ...input, id });
      return found === undefined ? null : resultsOf(found, input?.cursor);
    },
    children: () => [],
  },
} satisfies Resolvers;
