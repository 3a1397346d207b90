import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readSettings, type Settings } from '#platform/config';
import { migrateJobs } from '#platform/jobs';
import { createLog } from '#platform/log';
import {
  findRunning,
  lockDataFolder,
  type LocalSecrets,
  prepareDataFolder,
  readOrMakeSecrets,
  StartError,
} from '../data-folder.ts';
import { appUrlOf, lakeOf, ownerUrlOf, startLake, startPostgres } from '../embedded-stores.ts';
import { masterKeysOf } from '../keys/master-key-source.ts';
import { migrateAtStart } from '../migrations.ts';
import type { Runtime } from '../runtime.ts';

type Options = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether work beside a running deployment is possible; when not, it must be stopped first. */
  readonly besideRunning: boolean;
};

/** Stores as a command of the operator reaches them: those of the running deployment, or started for the command. */
export type OperatorStores = {
  readonly runtime: Runtime;
  readonly ownerUrl: string;
  readonly secrets: LocalSecrets;
  readonly isRunning: boolean;
  close(): Promise<void>;
};

async function portOfRunning(dataDir: string): Promise<number> {
  // Fourth line of the file that every Postgres server keeps in its folder.
  const text = await readFile(path.join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => '');
  const port = Number(text.split('\n')[3]);
  if (!Number.isInteger(port) || port === 0)
    throw new StartError('Margay is starting or stopping. Try again when it is up.');
  return port;
}

async function join(settings: Settings, dataDir: string, lakePort: number | undefined, port: number) {
  const secrets = await readOrMakeSecrets(dataDir);
  const postgresPort = settings.DATABASE_URL === undefined ? await portOfRunning(dataDir) : 0;
  if (settings.CLICKHOUSE_URL === undefined && lakePort === undefined)
    throw new StartError('Margay is starting. Try again when it is up.');
  return {
    runtime: {
      settings,
      dataDir,
      databaseUrl: settings.DATABASE_URL ?? appUrlOf(postgresPort, secrets),
      lake: lakeOf(settings, secrets, `http://127.0.0.1:${lakePort ?? 0}`),
      masterKeys: masterKeysOf(settings, secrets),
      port,
      roles: [],
    },
    ownerUrl: settings.DATABASE_OWNER_URL ?? ownerUrlOf(postgresPort, secrets),
    secrets,
    isRunning: true,
    close: async () => undefined,
  };
}

/** Starts what is needed for the command alone: this process then owns the data folder. */
async function startAlone(settings: Settings, dataDir: string): Promise<OperatorStores> {
  await prepareDataFolder(dataDir);
  const lock = await lockDataFolder(dataDir, 0);
  const parts: { stop(): Promise<void> }[] = [{ stop: () => lock.release() }];
  const close = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const secrets = await readOrMakeSecrets(dataDir);
    const stores = {
      settings,
      dataDir,
      secrets,
      log: createLog({ level: settings.MARGAY_LOG_LEVEL, role: 'operator' }),
    };
    const postgres = await startPostgres(stores);
    parts.push(postgres);
    await migrateAtStart(postgres.ownerUrl);
    await migrateJobs(postgres.ownerUrl);
    const lake = await startLake(stores);
    parts.push(lake);
    if (settings.CLICKHOUSE_URL === undefined) await lock.announce(Number(new URL(lake.lake.url).port));
    const { databaseUrl, ownerUrl } = postgres;
    const masterKeys = masterKeysOf(settings, secrets);
    return {
      runtime: { settings, dataDir, databaseUrl, lake: lake.lake, masterKeys, port: 0, roles: [] },
      ownerUrl,
      secrets,
      isRunning: false,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the stores of the configured deployment for one command. Throws StartError when it must be stopped first. */
export async function openOperatorStores({ environment, besideRunning }: Options): Promise<OperatorStores> {
  const settings = readSettings(environment);
  const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
  const running = await findRunning(dataDir);
  if (running === undefined) return startAlone(settings, dataDir);
  if (!besideRunning)
    throw new StartError(
      `Margay is running on "${dataDir}" (process ${running.pid}). This needs it stopped: stop it, run the command, start it again.`,
    );
  return join(settings, dataDir, running.lakePort, running.port);
}
