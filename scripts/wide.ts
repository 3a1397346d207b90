/**
 * `npm run wide [-- <name> …]`: suites that take long, need root, other servers or the whole machine, one after the
 * other. Without a name all of them; prints what passed and what did not, and exits 1 when one failed.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const seed = String(Date.now() % 1_000_000);

/** A suite by its name: a command of this checkout. New ones are added here. */
const suites: Readonly<Record<string, { readonly summary: string; readonly command: readonly string[] }>> = {
  tests: {
    summary: 'vitest suites of test/wide',
    command: ['node_modules/.bin/vitest', 'run', '--mode', 'wide'],
  },
  chaos: {
    summary: 'thirty minutes of kills on the embedded stores',
    command: ['node', 'scripts/chaos.ts', '--minutes', '30', '--seed', seed],
  },
  'chaos-external': {
    summary: 'thirty minutes of kills on Postgres, Redis and an S3-compatible server, two processes of each role',
    command: ['node', 'scripts/chaos.ts', '--minutes', '30', '--seed', seed, '--stores', 'external'],
  },
  schemathesis: {
    summary: 'requests made up from the API document, over every route',
    command: ['node', 'scripts/compat.ts', 'schemathesis', '--examples', '10', '--seed', seed],
  },
  'demo-external': {
    summary: 'the demo on Postgres, Redis and an S3-compatible server',
    command: ['node', 'scripts/services/with-servers.ts', process.execPath, 'scripts/demo.ts', '--json'],
  },
  fairness: {
    summary: 'a million events of one tenant, twenty single events of another',
    command: ['node', 'scripts/bench.ts', 'fairness', '--events', '1000000', '--batches', '2000'],
  },
  overload: {
    summary: 'three times capacity for ten minutes',
    command: ['node', 'scripts/bench.ts', 'overload', '--minutes', '10'],
  },
};

const names = process.argv.slice(2);
const unknown = names.find((name) => suites[name] === undefined);
if (unknown !== undefined) {
  const lines = Object.entries(suites).map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`);
  process.stderr.write(`There is no wide suite "${unknown}". There are:\n${lines.join('\n')}\n`);
  process.exit(2);
}

const results: (readonly [string, boolean, number])[] = [];
for (const [name, { command }] of Object.entries(suites)) {
  if (names.length > 0 && !names.includes(name)) continue;
  process.stdout.write(`== ${name}\n`);
  const startedAt = performance.now();
  const [file = '', ...args] = command;
  const { status } = spawnSync(file === 'node' ? process.execPath : path.join(root, file), args, {
    cwd: root,
    stdio: 'inherit',
  });
  results.push([name, status === 0, (performance.now() - startedAt) / 1000]);
}
for (const [name, isGood, seconds] of results)
  process.stdout.write(`${isGood ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(0)} s)\n`);
process.exit(results.every(([, isGood]) => isGood) ? 0 : 1);
