import path from 'node:path';
import { readSettings, type Settings } from '#platform/config';
import { createLog } from '#platform/log';
import { migrateJobs } from '#platform/jobs';
import { lockDataFolder, prepareDataFolder, readOrMakeSecrets, reservePort, StartError } from './data-folder.ts';
import { masterKeysOf } from './keys/master-key-source.ts';
import { startLake, startPostgres } from './embedded-stores.ts';
import { startRoleProcess } from './role-process.ts';
import { migrateAtStart } from './migrations.ts';
import { type RoleName, roleNames, type Runtime } from './runtime.ts';
import { supervise, type Supervised } from './supervised-child.ts';

export type Deployment = {
  readonly runtime: Runtime;
  /** Stops everything in order, Postgres last. */
  stop(): Promise<void>;
};

type Options = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly roles: readonly RoleName[] | 'all';
  /** One line per step for the person who watches. */
  readonly say: (line: string) => void;
};

/** Processes of a whole deployment on one machine. API and intake share one, since they share one address. */
const processGroups = (workers: number): readonly (readonly RoleName[])[] => [
  ...Array.from({ length: workers }, () => ['worker'] as const),
  ['scheduler'],
  ['api', 'ingest'],
];

function refuseImpossible(settings: Settings, roles: Options['roles']): void {
  if (roles === 'all') return;
  const missing = (['DATABASE_URL', 'CLICKHOUSE_URL', 'S3_BUCKET', 'MARGAY_MASTER_KEY'] as const).filter(
    (name) => settings[name] === undefined,
  );
  if (missing.length > 0)
    throw new StartError(
      `A single role works beside others and needs stores they share: set ${missing.join(', ')}, or start without --role.`,
    );
}

/** Brings the whole product up: data folder, stores, schema, roles. Whatever had started is stopped when a step fails. */
export async function startDeployment({ environment, roles, say }: Options): Promise<Deployment> {
  const settings = readSettings(environment);
  refuseImpossible(settings, roles);
  const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
  await prepareDataFolder(dataDir);
  // Workers and schedulers listen on nothing, so several may run on one machine.
  const listens = roles === 'all' || roles.includes('api') || roles.includes('ingest');
  const port = listens ? await reservePort(settings.MARGAY_HOST, settings.MARGAY_PORT) : settings.MARGAY_PORT;
  const lock = await lockDataFolder(dataDir, port);
  const log = createLog({ level: settings.MARGAY_LOG_LEVEL, role: 'supervisor' });
  const parts: Supervised[] = [{ stop: () => lock.release() }];
  const stop = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const secrets = await readOrMakeSecrets(dataDir);
    const stores = { settings, dataDir, secrets, log };
    say('Starting Postgres …');
    const postgres = await startPostgres(stores);
    parts.push(postgres);
    const applied = await migrateAtStart(postgres.ownerUrl);
    await migrateJobs(postgres.ownerUrl);
    if (applied.length > 0) say(`Brought the database up to date (${applied.length} migrations).`);
    say('Starting the lake …');
    const lake = await startLake(stores);
    parts.push(lake);
    if (settings.CLICKHOUSE_URL === undefined) await lock.announce(Number(new URL(lake.lake.url).port));
    const base = {
      settings,
      dataDir,
      databaseUrl: postgres.databaseUrl,
      lake: lake.lake,
      masterKeys: masterKeysOf(settings, secrets),
      port,
    };
    const wanted =
      roles === 'all'
        ? processGroups(settings.MARGAY_WORKER_PROCESSES)
        : [roleNames.filter((role) => roles.includes(role))];
    say('Starting workers and API …');
    const started = await Promise.all(
      wanted.map((group) =>
        supervise({ name: group.join('+'), log, start: () => startRoleProcess({ ...base, roles: group }) }),
      ),
    );
    parts.push(...started);
    return { runtime: { ...base, roles: [] }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
