import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const lockKey = 7_714_211; // any constant: one per product, shared by all starters of one database
type Migration = { readonly name: string; readonly sql: string; readonly sha256: string };

/** Ordered `.sql` files of a folder; a Windows checkout gives the same hash. */
async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(path.join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** The database and the files of this version do not fit; the message says what to do. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
}

export type AppliedMigration = { readonly name: string; readonly sha256: string };

/** What a database was brought to, by the role that migrates. */
export async function listApplied(ownerUrl: string): Promise<readonly AppliedMigration[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    return [...(await applied(client))]
      .map(([name, sha256]) => ({ name, sha256 }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await client.end();
  }
}

async function applied(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const { rows } = await client.query<{ name: string; sha256: string }>('SELECT name, sha256 FROM schema_migrations');
  return new Map(rows.map((row) => [row.name, row.sha256]));
}

/** What stops a start: the database is newer than the code, a merged file was edited, or a file was slipped in between. */
function refuseMismatch(files: readonly Migration[], done: ReadonlyMap<string, string>): void {
  const known = new Map(files.map((file) => [file.name, file.sha256]));
  const newest = [...done.keys()].toSorted().at(-1) ?? '';
  for (const [name, sha256] of done) {
    if (!known.has(name))
      throw new SchemaMismatch(
        `The database has the migration "${name}", which this version of Margay does not know. Start the newer version.`,
      );
    if (known.get(name) !== sha256)
      throw new SchemaMismatch(`The migration "${name}" was changed after it had been applied. Restore the file.`);
  }
  for (const file of files) {
    if (!done.has(file.name) && file.name < newest)
      throw new SchemaMismatch(
        `The migration "${file.name}" comes before "${newest}", which is applied already. Give it the next number.`,
      );
  }
}

/** Throws SchemaMismatch when a database with these migrations could not be brought to the files' schema. */
export async function assertKnown(folder: string, migrations: readonly AppliedMigration[]): Promise<void> {
  refuseMismatch(await readMigrations(folder), new Map(migrations.map(({ name, sha256 }) => [name, sha256])));
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const isTransactional = !migration.sql.startsWith('-- no-transaction');
  const ledger = 'INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)';
  if (isTransactional) await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query(ledger, [migration.name, migration.sha256]);
    if (isTransactional) await client.query('COMMIT');
  } catch (error) {
    if (isTransactional) await client.query('ROLLBACK');
    throw new Error(`The migration "${migration.name}" failed.`, { cause: error });
  }
}

/**
 * Brings the database to the newest schema, as the owner role. Several starters may call it at once: one works, the
 * others wait. The lock is polled, because a session blocked inside `pg_advisory_lock` deadlocks with CREATE INDEX CONCURRENTLY.
 * `target` names migrations that may not be exceeded: a backup of an earlier version is filled in at its own schema.
 * Returns the names of the files that were applied. Throws SchemaMismatch when the database is newer than the files.
 */
export async function migrate(
  ownerUrl: string,
  folder: string,
  target?: readonly AppliedMigration[],
): Promise<readonly string[]> {
  const files = await readMigrations(folder);
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'margay migrate' });
  await client.connect();
  try {
    for (;;) {
      const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [lockKey]);
      if (rows[0]?.locked) break;
      await sleep(100);
    }
    const done = await applied(client);
    refuseMismatch(files, done);
    const wanted = target === undefined ? undefined : new Set(target.map(({ name }) => name));
    const pending = files.filter((file) => !done.has(file.name) && wanted?.has(file.name) !== false);
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}
