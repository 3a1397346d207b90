/**
 * The embedded lake: chDB behind ClickHouse's HTTP interface, in a process of its own so that the engine cannot take
 * the product down. First line on standard input is its configuration; when standard input closes, the parent is gone
 * and so is this process. First line on standard output is `{"port":…}`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getPriority, setPriority } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createLakeServer, type Engine } from './lake-server.ts';

type Configuration = {
  readonly dataDir: string;
  readonly port: number;
  readonly secret: string;
  readonly memoryBytesMax: number;
};

/** Configuration of the engine: a ceiling on memory, and none of the sources that would leave this machine. */
function writeEngineConfiguration(folder: string, memoryBytesMax: number): string {
  const file = path.join(folder, 'engine.xml');
  writeFileSync(
    file,
    `<clickhouse><max_server_memory_usage>${memoryBytesMax}</max_server_memory_usage><logger><level>none</level></logger></clickhouse>\n`,
    { mode: 0o600 },
  );
  return file;
}

async function run({ dataDir, port, secret, memoryBytesMax }: Configuration): Promise<void> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const { Session } = createRequire(import.meta.url)('chdb') as {
    Session: new (folder: string, options: object) => ReturnType<Engine['open']>;
  };
  const file = writeEngineConfiguration(dataDir, memoryBytesMax);
  const store = path.join(dataDir, 'store');
  const engine: Engine = { open: () => new Session(store, { connectionArgs: [`--config-file=${file}`] }) };
  // The first connection opens the data and takes the lock of the folder; it also keeps the engine alive between requests.
  const keeper = engine.open();
  await keeper.queryAsync('SELECT 1');
  const server = createLakeServer({ engine, secret, memoryBytesMax });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : port })}\n`);
  const stop = (): void => {
    server.close(() => {
      keeper.close();
      process.exit(0);
    });
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 5000).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', () => undefined);
  process.stdin.on('end', stop);
}

// Loads are large and may wait; whatever leads to an alert may not. Threads have the priority of who started them.
setPriority(Math.min(19, getPriority() + 10));

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  run(JSON.parse(line) as Configuration).catch((error: unknown) => {
    process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
    process.exit(1);
  });
});
