import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from '#platform/config';
import type { Runtime } from '../runtime.ts';

const sockets = new Set<Socket>();
const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('a process whose supervisor dies while it is starting ends, too', async () => {
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const runtime: Runtime = {
    roles: ['scheduler'],
    settings: readSettings({}),
    dataDir: '/nowhere',
    databaseUrl: `postgresql://margay@127.0.0.1:${port}/margay`,
    lake: { url: `http://127.0.0.1:${port}`, user: 'margay', password: 'none' },
    masterKeys: { current: Buffer.alloc(32).toString('base64'), previous: [] },
    port: 0,
  };
  const child = fork(path.join(import.meta.dirname, 'main.ts'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const exited = once(child, 'exit');
  child.send(runtime);
  await once(silent, 'connection');
  child.disconnect();
  expect(await exited).toEqual([1, null]);
}, 60_000);
