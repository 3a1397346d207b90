import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedLake } from '#lake';
import { readSettings } from '#platform/config';
import { silentLog } from '#platform/log';
import { masterKeysOf } from '../../src/app/keys/master-key-source.ts';
import type { Runtime } from '../../src/app/runtime.ts';
import { supervise } from '../../src/app/supervised-child.ts';
import { hasPostgres, startTestPostgres } from '../services/postgres.ts';
import { hasRedis, startTestRedis } from '../services/redis.ts';
import { hasS3Server, startTestS3 } from '../services/s3.ts';
import { startFleet } from './fleet.ts';
import type { Harm } from './killer.ts';
import type { VictimKind } from './processes.ts';

/** A deployment under trial, whatever its stores are. */
export type TriedDeployment = {
  /** For our own way into its stores. */
  readonly runtime: Runtime;
  /** Where logs are taken in. */
  readonly ingestUrls: readonly string[];
  readonly harms: readonly Harm[];
  /** What is killed as one of the harms only, since no supervisor starts it again. */
  readonly spared: readonly VictimKind[];
  stop(): Promise<void>;
};

const roles = ['scheduler', 'scheduler', 'worker', 'worker', 'ingest', 'ingest', 'api'];
const pauseMs = 1500;

/** Scripts that are still to be run before external stores can be tried here. */
export function missingServices(): readonly string[] {
  return [
    ...(hasPostgres ? [] : ['scripts/services/install-postgres.sh']),
    ...(hasRedis ? [] : ['scripts/services/install-redis.sh']),
    ...(hasS3Server ? [] : ['scripts/services/install-s3.sh']),
  ];
}

/** The lake engine as a server that outlives the others; a ClickHouse of one's own is given by CLICKHOUSE_URL. */
async function startLake(folder: string) {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user = 'default', CLICKHOUSE_PASSWORD: password = '' } = process.env;
  if (url !== undefined && url !== '') return { url, user, password, stop: async () => undefined };
  const secret = randomBytes(16).toString('hex');
  let port: number | undefined;
  let address = '';
  const supervised = await supervise({
    name: 'lake',
    log: silentLog,
    start: async () => {
      const server = await startEmbeddedLake({
        nodePath: process.execPath,
        dataDir: path.join(folder, 'lake'),
        secret,
        memoryBytesMax: 2 * 1024 ** 3,
        log: silentLog,
        ...(port === undefined ? {} : { port }),
      });
      address = server.url;
      port = Number(new URL(server.url).port);
      return server;
    },
  });
  return { url: address, user: 'margay', password: secret, stop: () => supervised.stop() };
}

/** A server that is killed and comes back after a pause. */
const again = (name: string, server: { kill(): Promise<void>; start(): Promise<void> }): Harm => ({
  name: `killed ${name}`,
  run: async () => {
    await server.kill();
    await sleep(pauseMs);
    await server.start();
  },
});

/** Real Postgres, Redis and an S3-compatible server, and a process per role beside them, two of most. */
export async function startExternal(
  folder: string,
  settings: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<TriedDeployment> {
  say('Starting Postgres, Redis, the object store and the lake …');
  const [postgres, redis, s3, lake] = await Promise.all([
    startTestPostgres(),
    startTestRedis(),
    startTestS3(),
    startLake(folder),
  ]);
  const environment = {
    ...settings,
    DATABASE_URL: postgres.url,
    DATABASE_OWNER_URL: postgres.ownerUrl,
    REDIS_URL: redis.url,
    S3_BUCKET: s3.bucket,
    S3_ENDPOINT: s3.endpoint,
    MARGAY_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    MARGAY_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    CLICKHOUSE_URL: lake.url,
    CLICKHOUSE_USER: lake.user,
    CLICKHOUSE_PASSWORD: lake.password,
    MARGAY_MASTER_KEY: randomBytes(32).toString('base64'),
  };
  say(`Starting ${roles.join(', ')} …`);
  const fleet = await startFleet({ roles, environment, folder });
  const parsed = readSettings(environment);
  return {
    runtime: {
      roles: [],
      settings: parsed,
      dataDir: path.join(folder, 'inspector'),
      databaseUrl: postgres.url,
      lake: { url: lake.url, user: lake.user, password: lake.password },
      masterKeys: masterKeysOf(parsed, {}),
      port: Number(new URL(fleet.ingestUrls[0] ?? 'http://127.0.0.1:1').port),
    },
    ingestUrls: fleet.ingestUrls,
    harms: [
      again('postgres', postgres),
      again('redis', redis),
      again('objects', s3),
      { name: 'flushed redis', run: () => redis.flush() },
    ],
    spared: ['postgres'],
    async stop() {
      await fleet.stop();
      for (const service of [lake, s3, redis, postgres]) await service.stop();
    },
  };
}
