import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLog } from '#platform/log';
import { startEmbeddedLake } from './launch.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'margay-launch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a program that greets as given, in the place of the engine's process. */
function startWith(name: string, greeting: string): Promise<unknown> {
  const program = path.join(folder, name);
  writeFileSync(program, `#!/bin/sh\n${greeting}\n`, { mode: 0o755 });
  const log = createLog({ level: 'silent', role: 'test' });
  return startEmbeddedLake({ nodePath: program, dataDir: folder, secret: 'x', memoryBytesMax: 1, log });
}

const says = (error: string): string => `printf '%s\\n' '${JSON.stringify({ error })}'`;

test('where the engine has no library for the system, one sentence says what to set', async () => {
  const sentence = 'on this system set CLICKHOUSE_URL to a ClickHouse server';
  const musl = "/lib/libc.musl-x86_64.so.1: version `GLIBC_2.34' not found (required by libchdb.so)".replaceAll(
    "'",
    '',
  );
  await expect(startWith('musl', says(musl))).rejects.toThrow(sentence);
  await expect(startWith('missing', says('Cannot find module @chdb/lib-linux-x64-musl'))).rejects.toThrow(sentence);
});

test('a folder in use and a process that dies at once are told apart', async () => {
  await expect(startWith('busy', says('Code: 76. Cannot lock file /x/status'))).rejects.toThrow(
    'another Margay may be running on it',
  );
  await expect(startWith('dead', 'exit 3')).rejects.toThrow('The embedded lake did not start: the process ended');
});
