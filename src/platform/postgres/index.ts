export {
  type Database,
  isForeignKeyViolation,
  isUniqueViolation,
  openDatabase,
  type Reader,
  type TenantReader,
  type TenantTx,
  type Tx,
} from './database.ts';
export { type Dump, openDump } from './dump.ts';
export { startEmbeddedPostgres } from './embedded.ts';
export { fillDatabase } from './fill.ts';
export { assertKnown, listApplied, migrate, SchemaMismatch } from './migrate.ts';
export { mayRun, pause } from './pause.ts';
export { provisionDatabase } from './provision.ts';
