/**
 * `npm run compat -- clickhouse --url URL [--user USER] [--password PASSWORD]`: runs the contract suite of the lake
 * against a ClickHouse server. It makes databases and tables of its own there, named after made-up tenants, and leaves
 * them; use a server that is for trying out.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const usage = 'Usage: npm run compat -- clickhouse --url URL [--user USER] [--password PASSWORD]\n';

/** Runs the suite; returns the exit code. */
export async function runClickhouse(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      user: { type: 'string', default: 'default' },
      password: { type: 'string', default: '' },
    },
  });
  if (values.url === undefined || !URL.canParse(values.url)) {
    process.stderr.write(usage);
    return 2;
  }

  const ping = await fetch(new URL('/ping', values.url)).catch(() => undefined);
  if (ping?.ok !== true) {
    process.stderr.write('No ClickHouse answers there. --url is its HTTP address, e.g. http://127.0.0.1:8123.\n');
    return 1;
  }
  const { status } = spawnSync(
    process.execPath,
    [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/integration/lake'],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        CLICKHOUSE_URL: values.url,
        CLICKHOUSE_USER: values.user,
        CLICKHOUSE_PASSWORD: values.password,
      },
    },
  );
  return status ?? 1;
}
