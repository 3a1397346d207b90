import path from 'node:path';
import { migrate, SchemaMismatch } from '#platform/postgres';
import { StartError } from './data-folder.ts';

/** Folder of the migrations of the metadata store. */
export const postgresMigrations = path.resolve(import.meta.dirname, '../../migrations/postgres');

/** Brings the database to this version. One that is newer is for the person who starts: nothing was changed. */
export async function migrateAtStart(ownerUrl: string): Promise<readonly string[]> {
  try {
    return await migrate(ownerUrl, postgresMigrations);
  } catch (error) {
    if (error instanceof SchemaMismatch) throw new StartError(error.message, { cause: error });
    throw error;
  }
}
