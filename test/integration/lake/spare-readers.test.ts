import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { chooseReaderWalls, createReaders, type ReadTable } from '#lake';
import { silentLog } from '#platform/log';
import { defaultLimits, engineSettings } from '#search';
import { isEmbeddedLake, startTestLake } from '../../support/lake.ts';

const server = await startTestLake();
const bundleFolder = path.join(server.folder, 'reader');
const host = { bundleFolder, nodePath: process.execPath, uid: process.getuid?.() };
const start = (count: number) =>
  createReaders({
    ...host,
    client: server.client,
    lakeFolder: path.join(server.folder, 'lake'),
    spares: { count, log: silentLog },
  });
const canWait = isEmbeddedLake && (await chooseReaderWalls(host)).walls.wrapLate !== undefined;
afterAll(async () => server.close());

type Readers = Awaited<ReturnType<typeof start>>;

async function ask({ lines }: Readers, sql: string, tables: readonly ReadTable[] = []): Promise<readonly string[]> {
  const answer: string[] = [];
  const options = {
    queryId: sql,
    settings: engineSettings(defaultLimits),
    signal: new AbortController().signal,
    tables,
  };
  for await (const some of lines(sql, options)) answer.push(...some.filter((line) => line !== ''));
  return answer;
}

function pids(isOne: (file: (name: string) => string, pid: string) => boolean): readonly number[] {
  const all = readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && isOne((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'), pid);
    } catch {
      return false;
    }
  });
  return all.map(Number);
}

/** Everything that belongs to readers of this file. */
const processes = () => pids((file) => file('cmdline').includes(bundleFolder));
/** The programs behind the wall, which have loaded the engine. */
const programs = () =>
  pids(
    (file, pid) =>
      readlinkSync(`/proc/${pid}/exe`).endsWith('/node') &&
      file('mountinfo').includes(path.basename(server.folder)) &&
      file('maps').includes('chdb'),
  );
const handed = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line.includes(' /handed/'));

const waiting = async (readers: Readers, count: number): Promise<readonly number[]> => {
  await vi.waitFor(() => expect(readers.waiting()).toBe(count), { timeout: 30_000 });
  return programs();
};

describe.runIf(canWait)('a reader that waits for its query', { timeout: 120_000 }, () => {
  test('serves one query, is gone after it, and another one takes its place', async () => {
    const readers = await start(1);
    try {
      const seen = new Set<number>();
      for (let round = 0; round < 3; round++) {
        const [pid = 0] = await waiting(readers, 1);
        expect(seen.has(pid)).toBe(false);
        seen.add(pid);
        expect(await ask(readers, 'SELECT 1')).toEqual(['[1]']);
        await vi.waitFor(() => expect(programs()).not.toContain(pid), { timeout: 5000 });
      }
    } finally {
      await readers.close();
    }
    // The kernel ends what is left in the namespace a moment after its first process.
    await vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 5000 });
  });

  test('sees the folders of its query from then on, read-only, and nobody else sees them', async () => {
    await server.client.command('CREATE DATABASE t_spare');
    await server.client.command('CREATE TABLE t_spare.logs (n Int64) ENGINE = MergeTree ORDER BY n');
    await server.client.command('INSERT INTO t_spare.logs VALUES (41)');
    const readers = await start(2);
    try {
      const before = await waiting(readers, 2);
      expect(before.flatMap(handed)).toEqual([]);
      const tables = [{ database: 't_spare', table: 'logs', where: null }];
      const answer = ask(readers, 'SELECT n + sleep(2) FROM t_spare.logs', tables);
      await vi.waitFor(() => expect(before.filter((pid) => handed(pid).length > 0)).toHaveLength(1), { timeout: 5000 });
      expect(before.flatMap(handed)).toEqual([expect.stringMatching(/ \/handed\/0 ro,nosuid,nodev/)]);
      expect(await answer).toEqual(['[41]']);
    } finally {
      await readers.close();
    }
  });

  test('is replaced when it dies, and a query meanwhile gets a new process', async () => {
    const readers = await start(1);
    try {
      const [pid = 0] = await waiting(readers, 1);
      process.kill(pid, 'SIGKILL');
      await waiting(readers, 0);
      expect(await ask(readers, 'SELECT 2')).toEqual(['[2]']);
      await vi.waitFor(() => expect(programs()).not.toContain(pid), { timeout: 5000 });
      await waiting(readers, 1);
    } finally {
      await readers.close();
    }
  });

  test('leaves nothing behind when the product stops, even while it starts', async () => {
    const readers = await start(2);
    await vi.waitFor(() => expect(processes().length).toBeGreaterThan(0), { timeout: 5000 });
    await readers.close();
    await vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 5000 });
    expect(await ask(readers, 'SELECT 3')).toEqual(['[3]']);
    await vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 5000 });
  });
});
