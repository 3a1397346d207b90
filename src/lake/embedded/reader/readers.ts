import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { type LakeClient, QueryStopped, splitLines } from '#platform/lake-client';
import { type Log, silentLog } from '#platform/log';
import type { WallReport, Walls } from '#platform/walls';
import type { QueryEngine, QueryReadOptions, ReadTable } from '../../query-engine.ts';
import { chooseReaderWalls, engineMounts, type ReaderHost } from './reader-bundle.ts';
import { readerFiles, readerLinks, type TableDefinition } from './reader-files.ts';
import { ReaderProcess } from './reader-process.ts';
import { keepSpares, type Spares } from './spares.ts';

type Deps = ReaderHost & {
  readonly client: Pick<LakeClient, 'rows'>;
  /** Folder of the embedded lake. */
  readonly lakeFolder: string;
  /** What the process may hold beside the query: Node, the engine, its caches. */
  readonly ownBytes?: number;
  /** How many readers wait started for a query; none when absent, or where the wall cannot hand folders in later. */
  readonly spares?: { readonly count: number; readonly log: Pick<Log, 'warn'> };
};

const scratchMib = 64;
const handedFolder = '/handed';
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

type Readers = QueryEngine & {
  readonly walls: WallReport;
  /** How many started readers wait for a query. */
  waiting(): number;
  /** How many run a query. */
  running(): number;
  /** Ends those that wait. */
  close(): Promise<void>;
};

type Place = { readonly walls: Walls; readonly bundle: string; readonly spareFolder: string };

const memoryOf = (options: Pick<QueryReadOptions, 'settings'>): number =>
  Number(options.settings['max_memory_usage'] ?? 1_500_000_000);

/** How a reader starts: inside the wall over given folders, or as one that gets them later. */
function startOf({ walls, bundle, spareFolder }: Place, folders: readonly string[] | 'later') {
  const engine = engineMounts('/modules');
  const { isolatesTenants: isWalled } = walls.report;
  const program = [walls.nodeInside, '--disable-warning=ExperimentalWarning', path.join(walls.bundleInside, 'main.ts')];
  const given = folders === 'later' ? [] : folders.map((from, index) => ({ from, to: `${handedFolder}/${index}` }));
  const inside = {
    mounts: [...engine, ...given],
    scratchMib,
    threadsMax: 512,
    filesMax: 8192,
    fileBytesMax: scratchMib * 1024 * 1024,
  };
  const late = folders === 'later' ? walls.wrapLate?.(spareFolder, program, inside) : undefined;
  return {
    command: late ?? walls.wrap(program, inside),
    folder: bundle,
    start: { modules: isWalled ? '/modules' : path.join(engine[0]?.from ?? '', '../..') },
  };
}

/** A reader without a query: it has loaded the engine and opened it over nothing, with rights on nothing. */
function startSpare(place: Place): ReaderProcess {
  const { start, ...rest } = startOf(place, 'later');
  const scratch = '/scratch/warm';
  const files = readerFiles({ scratch, tables: [], settings: {}, memoryBytesMax: defaultOwnBytes });
  return new ReaderProcess({ ...rest, start: { ...start, warmUp: { scratch, files, links: [], sql: 'SELECT 1' } } });
}

/** What a process is told to answer one query, inside the wall and without one. */
async function prepare(deps: Deps, { walls }: Place, sql: string, options: QueryReadOptions) {
  const isWalled = walls.report.isolatesTenants;
  const defined = await define(deps, options.tables);
  const scratch = isWalled ? '/scratch' : await mkdtemp(path.join(path.resolve(deps.bundleFolder), 'scratch-'));
  const tables = defined.map((table, index): TableDefinition => ({
    ...table,
    folder: isWalled ? `${handedFolder}/${index}` : table.folder,
  }));
  const { ownBytes = defaultOwnBytes } = deps;
  const memoryBytes = memoryOf(options);
  const { settings, signal } = options;
  const files = readerFiles({ scratch, tables, settings, memoryBytesMax: memoryBytes + ownBytes / 2 });
  return {
    folders: defined.map(({ folder }) => folder),
    task: { scratch, files, links: readerLinks(files), sql },
    signal,
    memoryBytesMax: memoryBytes + ownBytes,
    timeoutSeconds: Number(settings['max_execution_time'] ?? 300),
    forget: () => (isWalled ? Promise.resolve() : rm(scratch, { recursive: true, force: true })),
  };
}

/** A spare that has been shown the folders, or a new process over them. */
async function begin(place: Place, spares: Spares | undefined, folders: readonly string[]): Promise<ReaderProcess> {
  const spare = spares?.take();
  if (spare !== undefined) {
    try {
      await spare.handIn(folders);
      return spare;
    } catch {
      spare.end();
    }
  }
  return new ReaderProcess(startOf(place, folders));
}

/**
 * Readers beside the embedded lake: each query of a user runs in a process of its own, which sees the parts of the
 * tables of that query read-only, has rights on nothing else, no network, and ends with the query. Some are started
 * before they are needed; those see nothing of anybody until their query is there.
 */
export async function createReaders(deps: Deps): Promise<Readers> {
  const place = {
    ...(await chooseReaderWalls(deps)),
    spareFolder: path.join(path.resolve(deps.bundleFolder), 'spare'),
  };
  await mkdir(place.spareFolder, { recursive: true, mode: 0o755 });
  const running = new Map<string, ReaderProcess>();
  const { count, log } = deps.spares ?? { count: 0, log: silentLog };
  const spares =
    count > 0 && place.walls.wrapLate !== undefined
      ? keepSpares({ count, log, start: () => startSpare(place) })
      : undefined;
  return {
    walls: place.walls.report,
    async *lines(sql, options) {
      const { folders, forget, ...task } = await prepare(deps, place, sql, options);
      const reader = await begin(place, spares, folders);
      running.set(options.queryId, reader);
      try {
        yield* splitLines(reader.rows(task));
      } finally {
        running.delete(options.queryId);
        spares?.refill();
        await reader.exited;
        await forget();
      }
    },
    progress: async (queryId) => running.get(queryId)?.progress ?? { readRows: 0, readBytes: 0 },
    waiting: () => spares?.waiting() ?? 0,
    running: () => running.size,
    close: async () => spares?.close(),
  };
}
