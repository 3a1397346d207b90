export { type Database, isUniqueViolation, openDatabase, type TenantTx, type Tx } from './database.ts';
export { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
export { migrate } from './migrate.ts';
export { provisionDatabase } from './provision.ts';
