/** `npm run check`: every static check, side by side; prints what failed and exits 1. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const bin = (name: string) => path.join(root, 'node_modules/.bin', name);
const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['types', bin('tsc'), ['--noEmit', '--pretty', 'false']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings', '--report-unused-disable-directives']],
  ['format', bin('oxfmt'), ['--check']],
  ['python size', process.execPath, [path.join(root, 'scripts/lint/python-size.ts')]],
  ['unused', bin('knip'), ['--no-progress', '--no-config-hints']],
];

function run([name, command, args]: (typeof checks)[number]): Promise<boolean> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n${code === 0 ? '' : output}`);
      resolve(code === 0);
    });
  });
}

const results: boolean[] = [];
for (const check of checks) results.push(await run(check));
process.exit(results.every(Boolean) ? 0 : 1);
