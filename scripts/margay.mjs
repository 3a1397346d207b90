#!/usr/bin/env node
// Runs the program under the Node that the lockfile names, whatever Node called this.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const node = path.join(root, 'node_modules/.bin/node');
if (!existsSync(node)) {
  process.stderr.write(`Margay is not installed yet: run "npm ci" in ${root}.\n`);
  process.exit(1);
}
const child = spawn(node, [path.join(root, 'src/app/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
