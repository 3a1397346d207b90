import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockDataFolder, prepareDataFolder, readOrMakeSecrets, reservePort } from './data-folder.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'margay-folder-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a second start on the folder is refused in one sentence that names the first', async () => {
  const lock = await lockDataFolder(folder, 8080);
  await expect(lockDataFolder(folder, 8081)).rejects.toThrow(
    `Margay is already running on "${folder}" (process ${process.pid}, port 8080)`,
  );
  await lock.release();
  await (await lockDataFolder(folder, 8080)).release();
});

test('a lock that a killed process left behind is taken over, also when its number was given to another', async () => {
  const file = path.join(folder, 'margay.lock');
  for (const left of [
    { pid: 4_000_000, port: 1 },
    { pid: process.pid, ticks: '1', port: 1 },
  ]) {
    await writeFile(file, JSON.stringify(left));
    await (await lockDataFolder(folder, 8080)).release();
  }
});

test('a busy port and a foreign address are refused in one sentence', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(reservePort('127.0.0.1', port)).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program. Stop it, or set MARGAY_PORT.`,
  );
  server.close();
  await expect(reservePort('192.0.2.1', 0)).rejects.toThrow('Set MARGAY_HOST');
});

test('a folder that cannot be made is refused in one sentence', async () => {
  const file = path.join(folder, 'a-file');
  await writeFile(file, '');
  await expect(prepareDataFolder(path.join(file, 'data'))).rejects.toThrow('Set MARGAY_DATA_DIR to a folder of yours');
});

test('secrets are made once, and only this user can read them', async () => {
  const first = await readOrMakeSecrets(folder);
  expect(await readOrMakeSecrets(folder)).toEqual(first);
  expect((await stat(path.join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600);
  expect(Buffer.from(first.masterKey ?? '', 'base64')).toHaveLength(32);
  expect(await readFile(path.join(folder, 'secrets.json'), 'utf8')).toContain(first.appPassword);
});
