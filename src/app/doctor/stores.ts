import { randomUUID } from 'node:crypto';
import type { Settings } from '#platform/config';
import { createLakeClient } from '#platform/lake-client';
import { silentLog } from '#platform/log';
import { openDatabase } from '#platform/postgres';
import { openObjects } from '../open-objects.ts';

/** Oldest Postgres whose features the migrations use. */
const postgresMajorMin = 15;
const clockSkewMsMax = 2000;

type StoreReport = { readonly version: string; readonly clockOffsetMs: number };

/** Version of an external Postgres and how far its clock is off ours. Throws a sentence when it cannot serve. */
async function inspectPostgres(url: string): Promise<StoreReport> {
  const database = openDatabase({ url, connectionsMax: 1, log: silentLog });
  try {
    const asked = Date.now();
    const rows = await database.withSystem('the doctor asks for the version', (tx) =>
      tx.query<{ version: string; now: Date }>(
        "SELECT current_setting('server_version') AS version, clock_timestamp() AS now",
      ),
    );
    const [version, now] = [rows[0]?.version ?? '', rows[0]?.now ?? new Date(0)];
    if (Number.parseInt(version, 10) < postgresMajorMin)
      throw new Error(`Postgres ${version} is too old; ${postgresMajorMin} or newer is needed.`);
    return { version, clockOffsetMs: now.getTime() - (asked + Date.now()) / 2 };
  } finally {
    await database.close();
  }
}

/** What the doctor says of the metadata store. */
export async function describePostgres({ DATABASE_URL: url }: Settings): Promise<string> {
  if (url === undefined) return 'embedded';
  const { version, clockOffsetMs } = await inspectPostgres(url);
  if (Math.abs(clockOffsetMs) > clockSkewMsMax)
    throw new Error(`Its clock is ${Math.round(clockOffsetMs / 1000)} s off this machine's. Run NTP on both.`);
  return `external, ${version}, clock within ${Math.ceil(Math.abs(clockOffsetMs))} ms`;
}

/** The first right of the user of queries that is more than reading; undefined when there is none. */
export const rightBeyondReading = (grants: readonly string[]): string | undefined =>
  grants.find((grant) => !/^GRANT SELECT(?:\([^)]*\))? ON /.test(grant) || / WITH GRANT OPTION/.test(grant));

/** What the doctor says of the user as whom queries run. Throws a sentence when that user may do more than read. */
async function describeReader({
  CLICKHOUSE_URL: url = '',
  CLICKHOUSE_READER_USER: user,
  CLICKHOUSE_READER_PASSWORD: password = '',
}: Settings): Promise<string> {
  if (user === undefined)
    return 'queries run as the user that also writes: make one with deploy/clickhouse-reader.sql and set CLICKHOUSE_READER_USER';
  const client = createLakeClient({ url, user, password });
  try {
    const rows = await client.rows<Readonly<Record<string, string>>>('SHOW GRANTS', {}, { timeoutSeconds: 5 });
    const right = rightBeyondReading(rows.flatMap((row) => Object.values(row)));
    if (right !== undefined)
      throw new Error(
        `The user "${user}" of queries may do more than read: ${right}. See deploy/clickhouse-reader.sql.`,
      );
    return `queries run as "${user}", who may only read`;
  } finally {
    await client.close();
  }
}

/** What the doctor says of the lake. */
export async function describeLake(settings: Settings): Promise<string> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user = 'default', CLICKHOUSE_PASSWORD: password = '' } = settings;
  if (url === undefined) return `embedded, at most ${settings.MARGAY_LAKE_MEMORY_MIB} MiB`;
  const client = createLakeClient({ url, user, password });
  try {
    const rows = await client.rows<{ version: string }>('SELECT version() AS version', {}, { timeoutSeconds: 5 });
    return `external, ClickHouse ${rows[0]?.version ?? 'unknown'}; ${await describeReader(settings)}`;
  } finally {
    await client.close();
  }
}

/** What the doctor says of the object store. A bucket is written to once, beside everything that belongs to tenants. */
export async function describeObjects(settings: Settings, dataDir: string): Promise<string> {
  if (settings.S3_BUCKET === undefined) return 'in the data folder';
  const objects = openObjects(settings, dataDir);
  const key = `doctor/${randomUUID()}`;
  try {
    const wins = [await objects.putNew(key, Buffer.from('1')), await objects.putNew(key, Buffer.from('2'))];
    await objects.delete(key);
    if (wins[0] !== true || wins[1] !== false)
      throw new Error(
        'The server overwrites objects although it is asked not to (If-None-Match). Use one that honours conditional puts.',
      );
    return `bucket "${settings.S3_BUCKET}" at ${settings.S3_ENDPOINT ?? 'Amazon S3'}, honours conditional puts`;
  } finally {
    objects.close();
  }
}
