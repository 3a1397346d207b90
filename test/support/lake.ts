import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedLake } from '#lake';
import { createLakeClient } from '#platform/lake-client';
import { silentLog } from '#platform/log';

/** A lake of its own for one test file, with a folder for its objects beside it. */
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
  const server = await start();
  const client = createLakeClient({ url: server.url, user: 'margay', password: secret });
  return {
    folder,
    server,
    client,
    start,
    async close() {
      await client.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
