import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { silentLog } from '#platform/log';
import { type Database, openDatabase } from '#platform/postgres';

export type TestDatabase = {
  readonly database: Database;
  readonly url: string;
  readonly ownerUrl: string;
  /** Superuser connection to this database, for what no product role may do. */
  readonly superuserUrl: string;
  close(): Promise<void>;
};

/** A fresh, migrated database of its own for one test file: a copy of the run's template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { superuserUrl, ownerPassword, appPassword } = inject('postgres');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: superuserUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template_margay OWNER margay_owner`);
  await admin.end();
  const urlOf = (role: string, password: string) => {
    const url = new URL(superuserUrl);
    url.username = role;
    url.password = password;
    url.pathname = `/${name}`;
    return url.href;
  };
  const own = new URL(superuserUrl);
  own.pathname = `/${name}`;
  const url = urlOf('margay_app', appPassword);
  const database = openDatabase({ url, connectionsMax: 8, log: silentLog });
  return {
    database,
    url,
    ownerUrl: urlOf('margay_owner', ownerPassword),
    superuserUrl: own.href,
    close: () => database.close(),
  };
}

/** Inserts a tenant and returns its id. */
export async function createTenant(database: Database, name = 'Tenant'): Promise<string> {
  const id = randomUUID();
  await database.withSystem('test creates a tenant', (tx) =>
    tx.execute('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)', [id, `t-${id}`, name]),
  );
  return id;
}
