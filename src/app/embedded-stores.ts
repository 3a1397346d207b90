import path from 'node:path';
import { startEmbeddedLake } from '#lake';
import type { Settings } from '#platform/config';
import type { Log } from '#platform/log';
import { provisionDatabase, startEmbeddedPostgres } from '#platform/postgres';
import { errorText } from '#platform/errors';
import { type LocalSecrets, StartError } from './data-folder.ts';
import type { Runtime } from './runtime.ts';
import { supervise, type Supervised } from './supervised-child.ts';

type Options = {
  readonly settings: Settings;
  readonly dataDir: string;
  readonly secrets: LocalSecrets;
  readonly log: Log;
};

/** What keeps an embedded store from its first start is for the person who starts the product. */
async function started<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new StartError(errorText(error), { cause: error });
  }
}

/** Connection of the role that serves, to the embedded server. */
export const appUrlOf = (port: number, { appPassword }: LocalSecrets): string =>
  `postgresql://margay_app:${encodeURIComponent(appPassword)}@127.0.0.1:${port}/margay`;

/** Connection of the role that migrates, to the embedded server. */
export const ownerUrlOf = (port: number, { ownerPassword }: LocalSecrets): string =>
  `postgresql://margay_owner:${encodeURIComponent(ownerPassword)}@127.0.0.1:${port}/margay`;

/** How the lake is reached; `embeddedUrl` counts when no other is configured. */
export const lakeOf = (settings: Settings, secrets: LocalSecrets, embeddedUrl: string): Runtime['lake'] =>
  settings.CLICKHOUSE_URL === undefined
    ? { url: embeddedUrl, user: 'margay', password: secrets.lakeSecret }
    : {
        url: settings.CLICKHOUSE_URL,
        user: settings.CLICKHOUSE_USER ?? 'default',
        password: settings.CLICKHOUSE_PASSWORD ?? '',
      };

type Postgres = Supervised & { readonly databaseUrl: string; readonly ownerUrl: string };

/** Whoever waits for Postgres to come up asks again and again, and each time it says that it is still starting. */
const isTrouble = (line: string): boolean =>
  / (?:WARNING|ERROR|FATAL|PANIC): /.test(line) && !line.includes('the database system is starting up');

/** The deployment's Postgres: the external one when it is configured, else the one npm brought. */
export async function startPostgres({ settings, dataDir, secrets, log }: Options): Promise<Postgres> {
  if (settings.DATABASE_URL !== undefined && settings.DATABASE_OWNER_URL !== undefined)
    return { databaseUrl: settings.DATABASE_URL, ownerUrl: settings.DATABASE_OWNER_URL, stop: async () => undefined };
  const start = (port?: number) =>
    startEmbeddedPostgres({
      dataDir: path.join(dataDir, 'postgres'),
      uid: process.getuid?.(),
      onLog: (line) => (isTrouble(line) ? log.warn('postgres_says', { line }) : log.debug('postgres_says', { line })),
      ...(port === undefined ? {} : { port }),
    });
  const first = await started(start());
  const { ownerPassword, appPassword } = secrets;
  await provisionDatabase({ superuserUrl: first.superuserUrl, database: 'margay', ownerPassword, appPassword });
  let isFirst = true;
  const supervised = await supervise({
    name: 'postgres',
    log,
    start: async () => {
      if (!isFirst) return start(first.port);
      isFirst = false;
      return first;
    },
  });
  return {
    databaseUrl: appUrlOf(first.port, secrets),
    ownerUrl: ownerUrlOf(first.port, secrets),
    stop: () => supervised.stop(),
  };
}

type Lake = Supervised & Pick<Runtime, 'lake'>;

/** The deployment's lake: the external ClickHouse when it is configured, else chDB in a child process. */
export async function startLake({ settings, dataDir, secrets, log }: Options): Promise<Lake> {
  if (settings.CLICKHOUSE_URL !== undefined)
    return { lake: lakeOf(settings, secrets, ''), stop: async () => undefined };
  let port: number | undefined;
  let url = '';
  const supervised = await started(
    supervise({
      name: 'lake',
      log,
      start: async () => {
        const server = await startEmbeddedLake({
          nodePath: process.execPath,
          dataDir: path.join(dataDir, 'lake'),
          secret: secrets.lakeSecret,
          memoryBytesMax: settings.MARGAY_LAKE_MEMORY_MIB * 1024 * 1024,
          log,
          ...(port === undefined ? {} : { port }),
        });
        url = server.url;
        port = Number(new URL(server.url).port);
        return server;
      },
    }),
  );
  return { lake: lakeOf(settings, secrets, url), stop: () => supervised.stop() };
}
