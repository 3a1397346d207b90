import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

/** A sentence for the person who starts the product; shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/** Start time of a process in clock ticks since boot, which tells a reused pid from the process that wrote it. */
async function startTicks(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

type LockContent = {
  readonly pid: number;
  readonly ticks?: string;
  readonly port: number;
  /** Where the embedded lake listens, once it does. */
  readonly lakePort?: number;
};

async function isAlive({ pid, ticks }: LockContent): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
  return ticks === undefined || (await startTicks(pid)) === ticks;
}

const lockFile = (folder: string): string => path.join(folder, 'margay.lock');

/** The deployment that runs on the folder, if one does. */
export async function findRunning(folder: string): Promise<LockContent | undefined> {
  const text = await readFile(lockFile(folder), 'utf8').catch(() => '');
  if (text === '') return undefined;
  const content = JSON.parse(text) as LockContent;
  return (await isAlive(content)) ? content : undefined;
}

export type FolderLock = {
  /** Tells commands beside this process where the lake is. */
  announce(lakePort: number): Promise<void>;
  release(): Promise<void>;
};

/**
 * Makes this process the only one on the folder. Throws StartError naming the other one.
 * A lock whose process is gone (power loss, kill -9) is taken over.
 */
export async function lockDataFolder(folder: string, port: number): Promise<FolderLock> {
  const file = lockFile(folder);
  const ticks = await startTicks(process.pid);
  const content: LockContent = { pid: process.pid, port, ...(ticks === undefined ? {} : { ticks }) };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o644);
      await handle.writeFile(JSON.stringify(content));
      await handle.close();
      return {
        async announce(lakePort) {
          await writeFile(`${file}.new`, JSON.stringify({ ...content, lakePort }));
          await rename(`${file}.new`, file);
        },
        release: () => rm(file, { force: true }),
      };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const other = JSON.parse((await readFile(file, 'utf8')) || '{"pid":0,"port":0}') as LockContent;
    if (other.pid > 0 && (await isAlive(other)))
      throw new StartError(
        `Margay is already running on "${folder}" (process ${other.pid}, port ${other.port}). Stop it, or set MARGAY_DATA_DIR to another folder.`,
      );
    await rm(file, { force: true });
  }
  throw new StartError(`The lock "${file}" could not be taken. Delete it if no Margay is running.`);
}

const restoreMarker = (folder: string): string => path.join(folder, 'restore-unfinished');

/** From now until `endRestore` nothing starts on the folder. */
export const beginRestore = (folder: string): Promise<void> => writeFile(restoreMarker(folder), '', { flush: true });
export const endRestore = (folder: string): Promise<void> => rm(restoreMarker(folder));

async function refuseHalfRestored(folder: string): Promise<void> {
  if ((await stat(restoreMarker(folder)).catch(() => undefined)) !== undefined)
    throw new StartError(`A restore into "${folder}" was not finished. Delete the folder and restore again.`);
}

/** Creates the folder, open for passage: Postgres and the sandboxes run as other users. */
export async function prepareDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await refuseHalfRestored(folder);
    const { bavail, bsize } = await statfs(folder);
    const freeMib = Math.floor((Number(bavail) * Number(bsize)) / 1024 / 1024);
    if (freeMib < 512)
      throw new StartError(
        `Only ${freeMib} MiB are free in "${folder}"; Margay needs 512 MiB to start. Free some space or set MARGAY_DATA_DIR.`,
      );
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EROFS', 'ENOTDIR', 'EPERM'))
      throw new StartError(`The data folder "${folder}" cannot be written. Set MARGAY_DATA_DIR to a folder of yours.`, {
        cause: error,
      });
    throw error;
  }
}

/** Fails with one sentence when the address cannot be bound. Returns the port, a free one for 0. */
export async function reservePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE'))
      throw new StartError(`Port ${port} on ${host} is taken by another program. Stop it, or set MARGAY_PORT.`);
    if (hasCode(error, 'EACCES'))
      throw new StartError(`Port ${port} needs more rights than this user has. Set MARGAY_PORT to 1024 or more.`);
    throw new StartError(`The address ${host} cannot be used here. Set MARGAY_HOST.`, { cause: error });
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Secrets that the embedded stores share with the roles; made at the first start, readable by this user only. */
export type LocalSecrets = {
  readonly ownerPassword: string;
  readonly appPassword: string;
  readonly lakeSecret: string;
  /** 32 bytes in base64; absent when MARGAY_MASTER_KEY has taken over. */
  readonly masterKey?: string;
  /** Earlier master keys, there while a rotation is under way. */
  readonly previousMasterKeys?: readonly string[];
};

const secretsFile = (folder: string): string => path.join(folder, 'secrets.json');

/** The secrets of a folder; undefined before its first start. */
export async function readSecrets(folder: string): Promise<LocalSecrets | undefined> {
  const known = await readFile(secretsFile(folder), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  return known === undefined ? undefined : (JSON.parse(known) as LocalSecrets);
}

export async function readOrMakeSecrets(folder: string): Promise<LocalSecrets> {
  const known = await readSecrets(folder);
  if (known !== undefined) return known;
  const made = makeSecrets();
  await writeSecrets(folder, made);
  return made;
}

/** Fresh passwords and a fresh master key. */
export function makeSecrets(): LocalSecrets {
  const secret = () => randomBytes(24).toString('base64url');
  return {
    ownerPassword: secret(),
    appPassword: secret(),
    lakeSecret: secret(),
    masterKey: randomBytes(32).toString('base64'),
  };
}

/** Replaces the secrets as a whole: a crash leaves the old ones or the new ones. */
export async function writeSecrets(folder: string, secrets: LocalSecrets): Promise<void> {
  const file = secretsFile(folder);
  await writeFile(`${file}.new`, JSON.stringify(secrets), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
