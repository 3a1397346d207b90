import { execFile, spawn } from 'node:child_process';
import { availableParallelism, homedir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** How long a statement took, how many rows it gave, and the last value of the first. */
export type Asked = { readonly milliseconds: number; readonly rows: number; readonly last: string };

const version = '1.5.6';

type Answer = { readonly version: string; readonly answers: readonly Asked[] };

/** Asks DuckDB, installed once outside of the repository; undefined, and said, where it cannot be had. */
export async function askDuckdb(
  views: readonly string[],
  statements: readonly string[],
  say: (line: string) => void,
): Promise<Answer | undefined> {
  const home = path.join(homedir(), '.cache/margay/duckdb');
  try {
    const install = path.join(import.meta.dirname, '../../compat/install-python.sh');
    await promisify(execFile)('sh', [install, home, 'python3', `duckdb==${version}`, 'pytz']);
  } catch (error) {
    say(`DuckDB could not be installed: ${error instanceof Error ? error.message.split('\n')[0] : ''}`);
    return undefined;
  }
  const child = spawn(path.join(home, 'bin/python'), [path.join(import.meta.dirname, 'duckdb_queries.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ threads: availableParallelism(), views, statements }));
  return (await json(child.stdout)) as Answer;
}
