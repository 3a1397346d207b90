import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createOperatorAudit, type Operator } from '#audit';
import { restoreLakeFile, restoreLakeTable } from '#lake';
import { readSettings, type Settings } from '#platform/config';
import { migrateJobs } from '#platform/jobs';
import { createLog, type Log } from '#platform/log';
import { assertKnown, fillDatabase, migrate, SchemaMismatch } from '#platform/postgres';
import { createMasterKeys, openWithPassphrase } from '#platform/secrets';
import { forgetResults } from '#search';
import {
  beginRestore,
  endRestore,
  type LocalSecrets,
  lockDataFolder,
  makeSecrets,
  prepareDataFolder,
  StartError,
  writeSecrets,
} from '../data-folder.ts';
import { startLake, startPostgres } from '../embedded-stores.ts';
import { masterKeysOf } from '../keys/master-key-source.ts';
import { migrateAtStart, postgresMigrations } from '../migrations.ts';
import { openPlatform, type Platform } from '../parts.ts';
import { keysSchema } from './backup-manifest.ts';
import { insertOutboxJobs } from './outbox-store.ts';
import { openSet, type SetReader } from './set-reader.ts';

type Options = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly operator: Operator;
  readonly from: string;
  readonly passphrase: string | undefined;
  readonly say: (line: string) => void;
};

const rowsPerInsert = 200;

async function readKeys(set: SetReader, passphrase: string | undefined) {
  const { file, isSealed } = set.manifest.keys;
  if (file === null) return undefined;
  const bytes = await readFile(set.pathOf(file));
  if (isSealed && passphrase === undefined)
    throw new StartError('The keys of this set are sealed: set MARGAY_BACKUP_PASSPHRASE to the passphrase.');
  const text = isSealed ? await openWithPassphrase(passphrase ?? '', bytes) : bytes.toString('utf8');
  if (text === undefined) throw new StartError('MARGAY_BACKUP_PASSPHRASE is not the passphrase of this set.');
  return keysSchema.parse(JSON.parse(text));
}

/** Secrets of the new folder: passwords are new, master keys those of the set, unless the environment has them. */
async function secretsFor(set: SetReader, settings: Settings, passphrase: string | undefined): Promise<LocalSecrets> {
  const keys = settings.MARGAY_MASTER_KEY === undefined ? await readKeys(set, passphrase) : undefined;
  const { masterKey: _fresh, ...passwords } = makeSecrets();
  const secrets = { ...passwords, ...keys };
  const wanted = set.manifest.keys.masterKeyId;
  if (keys === undefined && settings.MARGAY_MASTER_KEY === undefined)
    throw new StartError(`The set does not hold its master key. Set MARGAY_MASTER_KEY to the one named ${wanted}.`);
  const texts = masterKeysOf(settings, secrets);
  const ids = [texts.current, ...texts.previous].map(
    (current) => createMasterKeys({ current, previous: [] }).currentId,
  );
  if (!ids.includes(wanted))
    throw new StartError(`MARGAY_MASTER_KEY is another key than the one of this set (${wanted}).`);
  return secrets;
}

async function prepareEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if ((await readdir(folder)).length > 0)
    throw new StartError(
      `The folder "${folder}" is not empty. Restore into an empty one, and keep the old until it works.`,
    );
  await prepareDataFolder(folder);
}

async function* rowsOf(set: SetReader, file: string): AsyncGenerator<(string | null)[][]> {
  let some: (string | null)[][] = [];
  for await (const line of set.lines(file)) {
    some.push(JSON.parse(line) as (string | null)[]);
    if (some.length < rowsPerInsert) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

async function refuseNewer({ manifest }: SetReader): Promise<void> {
  try {
    await assertKnown(postgresMigrations, manifest.migrations);
  } catch (error) {
    if (!(error instanceof SchemaMismatch)) throw error;
    throw new StartError(`The backup set was made by another version (${manifest.version}). ${error.message}`, {
      cause: error,
    });
  }
}

/** Brings the database to the schema of the set, fills it, and then to that of this version. */
async function restorePostgres(set: SetReader, ownerUrl: string): Promise<void> {
  const { migrations, tables, sequences } = set.manifest;
  await migrate(ownerUrl, postgresMigrations, migrations);
  const fileOf = new Map(tables.map(({ name, file }) => [name, file]));
  await fillDatabase(ownerUrl, { tables, sequences, rows: ({ name }) => rowsOf(set, fileOf.get(name) ?? '') });
  await migrateAtStart(ownerUrl);
  await migrateJobs(ownerUrl);
}

async function restoreLake(set: SetReader, { lakeClient }: Platform, isEmbedded: boolean): Promise<void> {
  for (const { files, ...copy } of set.manifest.lake) {
    await restoreLakeTable(lakeClient, copy);
    for (const file of files) {
      const source = isEmbedded ? { packedFile: path.resolve(set.pathOf(file)) } : { bytes: set.stream(file) };
      await restoreLakeFile(lakeClient, copy, source);
    }
  }
}

async function restoreObjects(set: SetReader, { storedObjects }: Platform): Promise<void> {
  for await (const { key } of set.objects()) await storedObjects.put(key, await readFile(set.pathOf(`objects/${key}`)));
}

async function takeUpWork(set: SetReader, { database }: Platform): Promise<void> {
  const jobs: unknown[] = [];
  for await (const line of set.lines(set.manifest.jobs)) jobs.push(JSON.parse(line));
  await database.withSystem('a restore takes up work of all tenants', async (tx) => {
    await insertOutboxJobs(tx, jobs);
    await forgetResults(tx);
  });
}

async function fill(
  options: Options,
  set: SetReader,
  settings: Settings,
  secrets: LocalSecrets,
  log: Log,
): Promise<void> {
  const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
  const { operator, say } = options;
  const stores = { settings, dataDir, secrets, log };
  const postgres = await startPostgres(stores);
  try {
    say('Filling Postgres …');
    await restorePostgres(set, postgres.ownerUrl);
    const lake = await startLake(stores);
    const { databaseUrl } = postgres;
    const masterKeys = masterKeysOf(settings, secrets);
    const platform = openPlatform({ settings, dataDir, databaseUrl, lake: lake.lake, masterKeys, port: 0, roles: [] });
    try {
      say('Filling the lake …');
      await restoreLake(set, platform, settings.CLICKHOUSE_URL === undefined);
      say('Copying objects …');
      await restoreObjects(set, platform);
      await takeUpWork(set, platform);
      await platform.database.withSystem('an operator restored a backup', (tx) =>
        createOperatorAudit(platform).record(tx, operator, 'RESTORE_BACKUP', { createdAt: set.manifest.createdAt }),
      );
    } finally {
      await platform.close();
      await lake.stop();
    }
  } finally {
    await postgres.stop();
  }
}

/** Restores a set into an empty folder, and empty stores where they are configured. All of it is checked first. */
export async function restoreBackup(options: Options): Promise<void> {
  const { environment, from, passphrase, say } = options;
  const settings = readSettings(environment);
  const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
  say('Checking the set …');
  const set = await openSet(from);
  await refuseNewer(set);
  const secrets = await secretsFor(set, settings, passphrase);
  await prepareEmptyFolder(dataDir);
  const lock = await lockDataFolder(dataDir, 0);
  try {
    await beginRestore(dataDir);
    await writeSecrets(dataDir, secrets);
    await fill(options, set, settings, secrets, createLog({ level: settings.MARGAY_LOG_LEVEL, role: 'restore' }));
    await endRestore(dataDir);
  } finally {
    await lock.release();
  }
}
