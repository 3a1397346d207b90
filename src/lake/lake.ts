import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { hashId, type Ids } from '#platform/ids';
import type { LakeClient } from '#platform/lake-client';
import type { Log } from '#platform/log';
import { type ObjectStore, tenantKey } from '#platform/objects';
import type { Database, TenantTx } from '#platform/postgres';
import type { LakeEngine } from './ddl.ts';
import { type ImportCounts, importParquet, type ImportOptions } from './export/parquet-import.ts';
import type { LakeColumn, LakeFamily, LakeLayout } from './lake-table.ts';
import { countUnloaded, insertChunks, type NewChunk } from './loads/load-store.ts';
import { createLoader, type Loader } from './loads/loader.ts';
import { createLakeReader, type LakeReader } from './reader.ts';
import { createTableKeeper } from './table-keeper.ts';

const pack = promisify(zstdCompress);

/** Rows of one batch for one table: NDJSON whose keys are columns of the table. */
export type RowsForLake = {
  readonly family: LakeFamily;
  /** Log type for `logs`, else empty. */
  readonly logType: string;
  readonly columns?: readonly LakeColumn[];
  readonly rows: Buffer;
  readonly count: number;
};

type StagedRows = { register(tx: TenantTx): Promise<void> };

export type Lake = {
  /**
   * Puts rows on the way to the lake: tables are made, the rows are durable when this returns, and `register` belongs
   * into the transaction that makes them count. The same batch and table twice is the same as once.
   */
  stage(tenantId: string, batchId: string, rows: readonly RowsForLake[]): Promise<StagedRows>;
  readonly reader: LakeReader;
  readonly loader: Loader;
  /** Tables of a batch whose rows are not in the lake yet. */
  countUnloaded(tenantId: string, batchId: string): Promise<number>;
  /** Brings back rows of a tenant's export that are not in the lake; doing it again changes nothing. */
  importParquet(options: ImportOptions): Promise<ImportCounts>;
};

type Deps = {
  readonly database: Database;
  readonly client: LakeClient;
  readonly objects: ObjectStore;
  readonly ids: Ids;
  readonly log: Log;
  readonly layout?: LakeLayout;
  readonly engine?: LakeEngine;
  readonly retentionDays?: number;
};

export function createLake({ layout = 'dedicated', engine = 'MergeTree', retentionDays = 365, ...deps }: Deps): Lake {
  const keeper = createTableKeeper({ ...deps, layout, engine, retentionDays });
  const stageOne = async (tenantId: string, batchId: string, item: RowsForLake): Promise<NewChunk> => {
    const table = await keeper.ensure(tenantId, item.family, item.logType, item.columns);
    const objectKey = tenantKey(tenantId, 'rows', batchId, `${item.family}-${hashId(item.logType)}.ndjson.zst`);
    await deps.objects.put(objectKey, await pack(item.rows, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }));
    return { id: deps.ids.uuid(), tableId: table.id, batchId, objectKey, rows: item.count, bytes: item.rows.length };
  };
  return {
    async stage(tenantId, batchId, rows) {
      const chunks: NewChunk[] = [];
      for (const item of rows) if (item.count > 0) chunks.push(await stageOne(tenantId, batchId, item));
      return { register: (tx) => insertChunks(tx, chunks) };
    },
    reader: createLakeReader(deps),
    loader: createLoader({ ...deps, keeper }),
    countUnloaded: (tenantId, batchId) => deps.database.withTenant(tenantId, (tx) => countUnloaded(tx, batchId)),
    importParquet: (options) => importParquet({ ...deps, keeper }, options),
  };
}
