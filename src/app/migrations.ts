import path from 'node:path';

/** Folder of the migrations of the metadata store. */
export const postgresMigrations = path.resolve(import.meta.dirname, '../../migrations/postgres');
