import { afterAll } from 'vitest';
import { startTestLake } from './lake.ts';
import { createTestDatabase } from './postgres.ts';

/** A database and a lake for one test file; both end with it. */
export async function startTestStores() {
  const { database, close } = await createTestDatabase();
  const server = await startTestLake();
  afterAll(async () => {
    await server.close();
    await close();
  });
  return { database, server };
}
