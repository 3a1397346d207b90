import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { type LakeClient, QueryStopped, splitLines } from '#platform/lake-client';
import type { WallReport, Walls } from '#platform/walls';
import type { QueryEngine, QueryReadOptions, ReadTable } from '../../query-engine.ts';
import { chooseReaderWalls, engineMounts, type ReaderHost } from './reader-bundle.ts';
import { readerFiles, readerLinks, type TableDefinition } from './reader-files.ts';
import { ReaderProcess } from './reader-process.ts';

type Deps = ReaderHost & {
  readonly client: Pick<LakeClient, 'rows'>;
  /** Folder of the embedded lake. */
  readonly lakeFolder: string;
  /** What the process may hold beside the query: Node, the engine, its caches. */
  readonly ownBytes?: number;
};

const scratchMib = 64;
const defaultOwnBytes = 700_000_000;
const unknownTable = 60;

type Defined = { readonly place: string; readonly create: string; readonly folder: string };

const definitionsSql = `SELECT concat(database, '.', name) AS place, create_table_query AS create, data_paths[1] AS folder
  FROM system.tables WHERE concat(database, '.', name) IN {names:Array(String)}`;

/** How the lake defines the tables now, and where their parts lie. */
async function define(
  { client, lakeFolder }: Deps,
  tables: readonly ReadTable[],
): Promise<readonly (ReadTable & Defined)[]> {
  if (tables.length === 0) return [];
  const names = tables.map(({ database, table }) => `${database}.${table}`);
  const rows = await client.rows<Defined>(definitionsSql, { names });
  const byName = new Map(rows.map((row) => [row.place, row]));
  const store = `${path.resolve(lakeFolder)}/store/`;
  return tables.map((table) => {
    const defined = byName.get(`${table.database}.${table.table}`);
    if (defined === undefined) throw new QueryStopped(unknownTable, 'A table of the query is not in the lake.');
    const folder = path.resolve(defined.folder);
    if (!folder.startsWith(store)) throw new Error('The lake keeps a table outside of its folder.');
    return { ...table, ...defined, folder };
  });
}

/** What a process needs to answer one query, inside the wall and without one. */
async function prepare(deps: Deps, walls: Walls, bundle: string, sql: string, options: QueryReadOptions) {
  const isWalled = walls.report.isolatesTenants;
  const scratch = isWalled ? '/scratch' : await mkdtemp(path.join(path.resolve(deps.bundleFolder), 'scratch-'));
  const defined = await define(deps, options.tables);
  const tables = defined.map((table, index): TableDefinition & { readonly from: string } => ({
    ...table,
    from: table.folder,
    folder: isWalled ? `/lake/${index}` : table.folder,
  }));
  const { ownBytes = defaultOwnBytes } = deps;
  const memoryBytes = Number(options.settings['max_memory_usage'] ?? 1_500_000_000);
  const files = readerFiles({
    scratch,
    tables,
    settings: options.settings,
    memoryBytesMax: memoryBytes + ownBytes / 2,
  });
  const engine = engineMounts('/modules');
  const modules = isWalled ? '/modules' : path.join(engine[0]?.from ?? '', '../..');
  const program = [walls.nodeInside, '--disable-warning=ExperimentalWarning', path.join(walls.bundleInside, 'main.ts')];
  const command = walls.wrap(program, {
    mounts: [...engine, ...tables.map(({ from, folder }) => ({ from, to: folder }))],
    scratchMib,
    threadsMax: 512,
    filesMax: 8192,
    fileBytesMax: scratchMib * 1024 * 1024,
  });
  return {
    command,
    folder: bundle,
    task: { modules, scratch, files, links: readerLinks(files), sql },
    signal: options.signal,
    memoryBytesMax: memoryBytes + ownBytes,
    timeoutSeconds: Number(options.settings['max_execution_time'] ?? 300),
    forget: () => (isWalled ? Promise.resolve() : rm(scratch, { recursive: true, force: true })),
  };
}

/**
 * Readers beside the embedded lake: each query of a user runs in a process of its own, which sees the parts of the
 * tables of that query read-only, has rights on nothing else, no network, and ends with the query.
 */
export async function createReaders(deps: Deps): Promise<QueryEngine & { readonly walls: WallReport }> {
  const { walls, bundle } = await chooseReaderWalls(deps);
  const running = new Map<string, ReaderProcess>();
  return {
    walls: walls.report,
    async *lines(sql, options) {
      const { forget, ...prepared } = await prepare(deps, walls, bundle, sql, options);
      const reader = new ReaderProcess(prepared);
      running.set(options.queryId, reader);
      try {
        yield* splitLines(reader.rows());
      } finally {
        running.delete(options.queryId);
        await reader.exited;
        await forget();
      }
    },
    progress: async (queryId) => running.get(queryId)?.progress ?? { readRows: 0, readBytes: 0 },
  };
}
