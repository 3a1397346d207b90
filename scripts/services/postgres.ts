import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { provisionDatabase } from '#platform/postgres';
import { freePorts } from './ports.ts';

/** Programs of the newest Postgres that `scripts/services/install-postgres.sh`, or the machine's owner, installed. */
const bin = globSync('/usr/lib/postgresql/*/bin')
  .filter((folder) => existsSync(path.join(folder, 'initdb')))
  .toSorted((a, b) => Number(a.split('/')[4]) - Number(b.split('/')[4]))
  .at(-1);

export const hasPostgres = bin !== undefined;

export type TestPostgres = {
  /** Application role and owner role on a database of its own. */
  readonly url: string;
  readonly ownerUrl: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

const passwords = { ownerPassword: 'owner-of-tests', appPassword: 'app-of-tests' };

/** Root may not run Postgres: the package's user does. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function isUp(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Starts the machine's Postgres on loopback with a cluster of its own, and provisions it as the handbook says. */
export async function startTestPostgres(): Promise<TestPostgres> {
  if (bin === undefined) throw new Error('There is no Postgres: run scripts/services/install-postgres.sh.');
  const user = owner();
  const folder = mkdtempSync(path.join(tmpdir(), 'margay-postgres-'));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const cluster = path.join(folder, 'cluster');
  execFileSync(path.join(bin, 'initdb'), ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    ...user,
    cwd: '/',
    stdio: 'ignore',
  });
  const [port = 0] = await freePorts(1);
  const superuserUrl = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const start = async (): Promise<void> => {
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'max_connections=300',
    ];
    const flags = settings.flatMap((setting) => ['-c', setting]);
    for (let round = 0; round < 300; round += 1) {
      // What a killed server left keeps the next one away until its own children are gone.
      if (child === undefined || child.exitCode !== null || child.signalCode !== null)
        child = spawn(path.join(bin, 'postgres'), ['-D', cluster, ...flags], { ...user, cwd: '/', stdio: 'ignore' });
      if (await isUp(superuserUrl)) return;
      await sleep(200);
    }
    throw new Error('The Postgres of the tests does not come up.');
  };
  await start();
  await provisionDatabase({ superuserUrl, database: 'margay', ...passwords });
  const urlOf = (role: string, password: string) => `postgresql://${role}:${password}@127.0.0.1:${port}/margay`;
  return {
    url: urlOf('margay_app', passwords.appPassword),
    ownerUrl: urlOf('margay_owner', passwords.ownerPassword),
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
