import { type Actor, admit, type LogTypeAccess, mayReadLogType, parseInput } from '#access';
import { badInput, DomainError, notFound } from '#platform/errors';
import {
  cancelDataLakeQuery,
  dataLakeQueries,
  dataLakeQuery,
  downloadDataLakeQuery,
  queryResults,
} from '../search-operations.ts';
import { accessKeyOf, anyLogType, type LakeQuery, type QueryState } from './lake-query.ts';
import { offsetCursor, parseOffset, type QueryDeps } from './query-deps.ts';
import { findQuery, listQueries, requestCancel } from './query-store.ts';
import { formatResult, mediaTypes, type ResultFormat } from './result-format.ts';
import { readPieces, readSlice, type ResultRow } from './result-store.ts';

type QueryPage = { readonly queries: readonly LakeQuery[]; readonly endCursor: string | null };
export type ResultPage = {
  readonly query: LakeQuery;
  readonly rows: readonly ResultRow[];
  readonly offset: number;
  readonly endCursor: string | null;
};

/** A result as a file: its bytes come as they are read. */
export type ResultFile = {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
};

export type QueryReading = {
  cancel(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  get(actor: Actor, input: unknown): Promise<LakeQuery>;
  /** A page of a result; undefined while there is none. */
  results(actor: Actor, input: unknown): Promise<ResultPage | undefined>;
  /** The whole of a result; `conflict` while there is none. */
  download(actor: Actor, input: unknown): Promise<ResultFile>;
  list(actor: Actor, input: unknown): Promise<QueryPage>;
};

/** A result is for those who may read every log type in it, or exactly what its asker could read. */
const mayView = (access: LogTypeAccess, query: LakeQuery): boolean =>
  access.kind === 'ALLOW_ALL' ||
  accessKeyOf(access) === query.accessKey ||
  query.logTypes.every((logType) => logType !== anyLogType && mayReadLogType(access, logType));

const listCursor = ({ startedAt, id }: LakeQuery): string =>
  Buffer.from(`${startedAt.toISOString()} ${id}`).toString('base64url');

function parseListCursor(cursor: string | null | undefined) {
  if (!cursor) return undefined;
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const startedAt = new Date(time);
  if (Number.isNaN(startedAt.getTime()) || !/^[0-9a-f-]{36}$/.test(id))
    throw badInput('cursor', 'cursor: is not a cursor of this list');
  return { startedAt, id };
}

const statesOf: Readonly<Record<string, readonly QueryState[]>> = {
  running: ['QUEUED', 'RUNNING'],
  succeeded: ['SUCCEEDED'],
  failed: ['FAILED'],
  cancelled: ['CANCELLED'],
};

function createReader({ database, objects }: QueryDeps) {
  const find = async (actor: Actor, id: string): Promise<LakeQuery> => {
    const query = await database.withTenant(actor.tenantId, (tx) => findQuery(tx, id));
    if (query === undefined || !mayView(actor.logTypeAccess, query)) throw notFound('query', id);
    return query;
  };
  const page = async (actor: Actor, query: LakeQuery, offset: number, size: number): Promise<ResultPage> => {
    const wanted = Math.min(size, Math.max(query.rowCount - offset, 0));
    const queryId = query.resultOf ?? query.id;
    const rows =
      wanted === 0
        ? []
        : await readSlice(objects, actor.tenantId, { queryId, columns: query.columns, offset, size: wanted });
    const end = offset + rows.length;
    return { query, rows, offset, endCursor: end < query.rowCount ? offsetCursor(end) : null };
  };
  return { find, page };
}

function createHistory({ database }: QueryDeps): Pick<QueryReading, 'list'> {
  return {
    async list(actor, input) {
      const wanted = admit(actor, dataLakeQueries, input);
      const size = wanted.pageSize ?? 25;
      const found = await database.withTenant(actor.tenantId, (tx) =>
        listQueries(tx, {
          contains: wanted.contains || undefined,
          isScheduled: wanted.isScheduled ?? undefined,
          issuedBy: wanted.issuedBy ?? undefined,
          states: wanted.status?.flatMap((status) => statesOf[status] ?? []),
          after: wanted.startedAtAfter ?? undefined,
          before: wanted.startedAtBefore ?? undefined,
          cursor: parseListCursor(wanted.cursor),
          isAscending: wanted.sortDir === 'ascending',
          limit: size + 1,
        }),
      );
      const shown = found.slice(0, size);
      const last = shown.at(-1);
      return {
        queries: shown.filter((query) => mayView(actor.logTypeAccess, query)),
        endCursor: found.length > size && last !== undefined ? listCursor(last) : null,
      };
    },
  };
}

function fileOf({ objects }: QueryDeps, tenantId: string, query: LakeQuery, format: ResultFormat): ResultFile {
  const { columns, rowCount } = query;
  const pieces = readPieces(objects, tenantId, { queryId: query.resultOf ?? query.id, columns, rowCount });
  return {
    name: `query-${query.id}.${format}`,
    mediaType: mediaTypes[format],
    bytes: formatResult(format, columns, pieces),
  };
}

/** Queries that were asked: how far they are, what they gave, and ending them. */
export function createQueryReading(deps: QueryDeps): QueryReading {
  const { database, audit, clock } = deps;
  const { find, page } = createReader(deps);
  return {
    ...createHistory(deps),
    async cancel(actor, input) {
      const { id } = admit(actor, cancelDataLakeQuery, input);
      const query = await find(actor, id);
      await database.withTenant(actor.tenantId, async (tx) => {
        await requestCancel(tx, query.id, clock.now());
        await audit.record(tx, actor, cancelDataLakeQuery, { target: { kind: 'query', id: query.id } });
      });
      return { id: query.id };
    },
    async download(actor, input) {
      const { id, format } = admit(actor, downloadDataLakeQuery, input);
      const query = await find(actor, id);
      if (query.state !== 'SUCCEEDED')
        throw new DomainError('conflict', {
          publicMessage: `The query "${id}" has no result: it ${query.state === 'FAILED' || query.state === 'CANCELLED' ? `ended as ${query.state}` : 'is not over yet'}.`,
        });
      await database.withTenant(actor.tenantId, (tx) =>
        audit.record(tx, actor, downloadDataLakeQuery, {
          target: { kind: 'query', id: query.id },
          parameters: { format, rowCount: query.rowCount },
        }),
      );
      return fileOf(deps, actor.tenantId, query, format);
    },
    async get(actor, input) {
      const { id } = admit(actor, dataLakeQuery, input);
      return find(actor, id);
    },
    async results(actor, input) {
      const { id } = admit(actor, dataLakeQuery, { id: (input as { readonly id?: unknown }).id });
      const { cursor, pageSize } = parseInput(queryResults, input);
      const query = await find(actor, id);
      return query.state === 'SUCCEEDED' ? page(actor, query, parseOffset(cursor), pageSize ?? 999) : undefined;
    },
  };
}
