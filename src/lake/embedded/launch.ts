import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from '#platform/log';
import { lowerSession } from '#platform/priority';

export type EmbeddedLake = { readonly url: string; readonly exited: Promise<void>; stop(): Promise<void> };

type Options = {
  readonly nodePath: string;
  readonly dataDir: string;
  readonly secret: string;
  readonly memoryBytesMax: number;
  readonly log: Log;
  /** Loopback port; a free one when absent. */
  readonly port?: number;
};

type Greeting = { readonly port?: number; readonly error?: string };

function explain(message: string): string {
  if (/Failed to create connection|Cannot lock file/.test(message))
    return 'The embedded lake could not open its data folder; another Margay may be running on it.';
  if (/Cannot find module|libchdb|GLIBC|ERR_DLOPEN/.test(message))
    return 'The embedded lake needs Linux with glibc, or macOS: on this system set CLICKHOUSE_URL to a ClickHouse server.';
  return `The embedded lake did not start: ${message}`;
}

/** Steps of priority, half of those within a session: they count against everything on the machine, not only our own. */
const loadsBelow = 5;

/** Starts the embedded lake and waits until it answers. Its environment is empty; the secret goes through its standard input. */
export async function startEmbeddedLake({
  nodePath,
  dataDir,
  secret,
  memoryBytesMax,
  log,
  port = 0,
}: Options): Promise<EmbeddedLake> {
  const child = spawn(nodePath, [path.join(import.meta.dirname, 'main.ts')], {
    env: { UV_THREADPOOL_SIZE: '16', TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  child.stderr.on('data', (chunk: Buffer) => log.warn('lake_says', { text: chunk.toString().slice(0, 2000) }));
  child.stdin.on('error', () => undefined);
  let isRunning = true;
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      isRunning = false;
      resolve();
    };
    child.once('error', end);
    child.once('exit', end);
  });
  const greeting = new Promise<Greeting>((resolve) => {
    // The end of its output, not of the process: what it said last is read after it is gone.
    createInterface({ input: child.stdout })
      .once('line', (line) => resolve(JSON.parse(line) as Greeting))
      .once('close', () => resolve({ error: 'the process ended' }));
    child.once('error', (error) => resolve({ error: error.message }));
  });
  void lowerSession(child.pid, loadsBelow);
  child.stdin.write(`${JSON.stringify({ dataDir, port, secret, memoryBytesMax })}\n`);
  const { port: actual, error } = await greeting;
  if (actual === undefined) throw new Error(explain(error ?? 'it gave no port'));
  return {
    url: `http://127.0.0.1:${actual}`,
    exited,
    async stop() {
      if (isRunning) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
      await exited;
      clearTimeout(timer);
    },
  };
}
