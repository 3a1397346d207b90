import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createReaders, createServerQueryEngine, type QueryEngine, startEmbeddedLake } from '#lake';
import { createLakeClient, type LakeAddress } from '#platform/lake-client';
import { silentLog } from '#platform/log';

/** A ClickHouse server that `npm run compat` names. */
const external = process.env['CLICKHOUSE_URL'] ?? '';
const externalAddress: LakeAddress | undefined =
  external === ''
    ? undefined
    : {
        url: external,
        user: process.env['CLICKHOUSE_USER'] ?? 'default',
        password: process.env['CLICKHOUSE_PASSWORD'] ?? '',
      };

/** Whether the lake of the tests is embedded, not a server of somebody's. */
export const isEmbeddedLake = externalAddress === undefined;

/** A lake of its own for one test file, or the given server; with a folder for its objects beside it. */
export async function startTestLake() {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-lake-'));
  const secret = 'lake-of-tests';
  const start = () =>
    startEmbeddedLake({
      nodePath: process.execPath,
      dataDir: path.join(folder, 'lake'),
      secret,
      memoryBytesMax: 2_000_000_000,
      log: silentLog,
    });
  const server = externalAddress === undefined ? await start() : undefined;
  const client = createLakeClient(externalAddress ?? { url: server?.url ?? '', user: 'margay', password: secret });
  let readers: Promise<QueryEngine> | undefined;
  return {
    folder,
    /** Where queries of users run, as the product has it: a process for each beside the embedded lake. */
    engine(): Promise<QueryEngine> {
      if (externalAddress !== undefined) return Promise.resolve(createServerQueryEngine(client));
      readers ??= createReaders({
        client,
        lakeFolder: path.join(folder, 'lake'),
        bundleFolder: path.join(folder, 'reader'),
        nodePath: process.execPath,
        uid: process.getuid?.(),
      });
      return readers;
    },
    url: externalAddress?.url ?? server?.url ?? '',
    client,
    start,
    async close() {
      await client.close();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
