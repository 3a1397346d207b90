/** One Postgres server for the whole test run, with a migrated template that each test file copies. */
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrateJobs } from '#platform/jobs';
import { migrate, provisionDatabase, startEmbeddedPostgres } from '#platform/postgres';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: { readonly superuserUrl: string; readonly ownerPassword: string; readonly appPassword: string };
  }
}

export default async function setup(project: TestProject) {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-test-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), uid: process.getuid?.() });
  const passwords = { ownerPassword: 'owner-of-tests', appPassword: 'app-of-tests' };
  await provisionDatabase({ superuserUrl: server.superuserUrl, database: 'template_margay', ...passwords });
  await migrate(server.urlOf('margay_owner', passwords.ownerPassword, 'template_margay'), 'migrations/postgres');
  await migrateJobs(server.urlOf('margay_owner', passwords.ownerPassword, 'template_margay'));
  project.provide('postgres', { superuserUrl: server.superuserUrl, ...passwords });
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
