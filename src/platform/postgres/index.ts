export {
  type Database,
  isForeignKeyViolation,
  isUniqueViolation,
  openDatabase,
  type TenantTx,
  type Tx,
} from './database.ts';
export { startEmbeddedPostgres } from './embedded.ts';
export { migrate } from './migrate.ts';
export { provisionDatabase } from './provision.ts';
