export { parseManifest } from './export/export-manifest.ts';
export {
  type LakeMoment,
  type LakeTableCopy,
  openLakeMoment,
  restoreLakeFile,
  restoreLakeTable,
} from './backup/lake-moment.ts';
export { type EmbeddedLake, startEmbeddedLake } from './embedded/launch.ts';
export { chooseReaderWalls } from './embedded/reader/reader-bundle.ts';
export { createReaders } from './embedded/reader/readers.ts';
export { type ExportedFile, exportedTables, type ExportManifest, exportParquet } from './export/parquet-export.ts';
export type { ImportCounts, ImportOptions } from './export/parquet-import.ts';
export { type IndicatorField, indicatorFields } from './indicator-fields.ts';
export { eraseFromLake, type LakePlace, listPlaces } from './lake-erasure.ts';
export { forgetOldRows } from './lake-retention.ts';
export { createLake, type Lake, type RowsForLake } from './lake.ts';
export {
  familyColumns,
  type LakeColumn,
  type LakeColumnType,
  type LakeFamily,
  type LakeLayout,
  type LakeTable,
  standardColumns,
} from './lake-table.ts';
export { forgetChunks, listUnloaded } from './loads/load-store.ts';
export { startLoader } from './loads/loader.ts';
export { listTables } from './placement-store.ts';
export { createServerQueryEngine, type QueryEngine, type ReadTable } from './query-engine.ts';
export type { LakePage, LakeReader, LakeRow, TimeWindow } from './reader.ts';
