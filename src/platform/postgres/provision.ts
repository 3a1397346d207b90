import pg from 'pg';

type Provision = {
  /** Connection of a superuser, to any database of the server. */
  readonly superuserUrl: string;
  readonly database: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
};

/**
 * The four roles (see docs/operations.md): `margay_owner` migrates, `margay_app` serves under row-level security,
 * `margay_system` is what work for all tenants switches to, `margay_jobs` owns the queue schemas.
 * NOINHERIT makes the last two reachable only by an explicit SET ROLE.
 */
function roleStatements({ ownerPassword, appPassword }: Provision): readonly string[] {
  const ensure = (name: string, attributes: string) => `DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN CREATE ROLE ${name}; END IF; END $$;
    ALTER ROLE ${name} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE ${attributes}`;
  return [
    ensure('margay_system', 'NOLOGIN'),
    ensure('margay_jobs', 'NOLOGIN'),
    ensure('margay_owner', `LOGIN PASSWORD ${pg.escapeLiteral(ownerPassword)}`),
    ensure('margay_app', `LOGIN NOINHERIT PASSWORD ${pg.escapeLiteral(appPassword)}`),
    'GRANT margay_system, margay_jobs TO margay_app',
    'GRANT margay_jobs TO margay_owner',
  ];
}

/** Nobody but our roles gets in; BullMQ's bulk functions work in temporary tables. */
async function createDatabase(client: pg.Client, name: string): Promise<void> {
  const database = pg.escapeIdentifier(name);
  await client.query(`CREATE DATABASE ${database} OWNER margay_owner`);
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${database} TO margay_app`);
  await client.query(`GRANT TEMPORARY ON DATABASE ${database} TO margay_jobs`);
}

/** Creates or repairs the roles and the database of an embedded server. Safe to run at every start. */
export async function provisionDatabase(provision: Provision): Promise<void> {
  const client = new pg.Client({ connectionString: provision.superuserUrl });
  await client.connect();
  try {
    for (const statement of roleStatements(provision)) await client.query(statement);
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [provision.database]);
    if (rows.length === 0) await createDatabase(client, provision.database);
  } finally {
    await client.end();
  }
}
