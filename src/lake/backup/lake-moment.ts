import type { Readable } from 'node:stream';
import type { LakeClient } from '#platform/lake-client';
import { cloneTable, createDatabase, dropDatabase, insertFile, qualified, selectPartition } from '../ddl.ts';
import type { LakeTable } from '../lake-table.ts';

type Place = Pick<LakeTable, 'database' | 'table'>;

/** A table of the lake with the statement that makes it. */
export type LakeTableCopy = Place & { readonly create: string };

/** One moment of the lake, read for as long as it takes while loads go on. */
export type LakeMoment = {
  readonly tables: readonly LakeTableCopy[];
  /** The rows of a table, partition by partition, in the engine's own format. */
  partitions(table: Place): AsyncGenerator<AsyncIterable<Buffer>>;
  close(): Promise<void>;
};

const cloneDatabase = 'margay_backup';
const existing =
  'SELECT database, name, create_table_query AS create FROM system.tables WHERE has({databases:Array(String)}, database)';

/** Takes the moment of these tables: clones on the same files, which cost no space until the originals merge. */
export async function openLakeMoment(
  client: Pick<LakeClient, 'command' | 'rows' | 'readNative'>,
  places: readonly Place[],
): Promise<LakeMoment> {
  const databases = [...new Set(places.map(({ database }) => database))];
  const found = await client.rows<{ database: string; name: string; create: string }>(existing, { databases });
  const createOf = new Map(found.map(({ database, name, create }) => [`${database}.${name}`, create]));
  await client.command(dropDatabase(cloneDatabase));
  await client.command(createDatabase(cloneDatabase));
  const tables: LakeTableCopy[] = [];
  for (const { database, table } of places) {
    const create = createOf.get(`${database}.${table}`);
    if (create === undefined) continue;
    await client.command(cloneTable({ database: cloneDatabase, table: `${database}.${table}` }, { database, table }));
    tables.push({ database, table, create });
  }
  return {
    tables,
    async *partitions({ database, table }) {
      const clone = { database: cloneDatabase, table: `${database}.${table}` };
      const ids = await client.rows<{ id: string }>(
        `SELECT DISTINCT _partition_id AS id FROM ${qualified(clone)} ORDER BY id`,
      );
      for (const { id } of ids) yield await client.readNative(selectPartition(clone, id));
    },
    close: () => client.command(dropDatabase(cloneDatabase)),
  };
}

/** Makes an empty table as it was. */
export async function restoreLakeTable(client: Pick<LakeClient, 'command'>, copy: LakeTableCopy): Promise<void> {
  if (!/^CREATE TABLE /.test(copy.create)) throw new Error(`Not a table: ${copy.create.slice(0, 100)}`);
  await client.command(createDatabase(copy.database));
  await client.command(copy.create);
}

/** Fills a table with one partition. The embedded engine reads the packed file itself; a server is sent the bytes. */
export async function restoreLakeFile(
  client: Pick<LakeClient, 'command' | 'insertNative'>,
  place: Place,
  source: { readonly packedFile: string } | { readonly bytes: Readable },
): Promise<void> {
  if ('packedFile' in source) await client.command(insertFile(place, source.packedFile));
  else await client.insertNative(qualified(place), source.bytes);
}
