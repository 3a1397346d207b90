// Makes a checkout runnable: installs when the lockfile changed, generates what is not committed.
// Plain JavaScript without dependencies, so that whatever Node starts npm can run it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const stamp = path.join(root, 'node_modules/.margay-installed');
const lockHash = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['inherit', 'inherit', 'inherit'] });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash;
// `npm ci` leaves its own copy of the lockfile: when it is as new as ours, the tree was just installed.
const hidden = path.join(root, 'node_modules/.package-lock.json');
const lockedNames = (file) => Object.keys(JSON.parse(readFileSync(file, 'utf8')).packages).length;
const isInstalled = () =>
  existsSync(hidden) && lockedNames(hidden) > 100 && existsSync(path.join(root, 'node_modules/.bin/node'));

if (!isCurrent()) {
  const fresh = isInstalled() && !existsSync(stamp);
  if (!fresh) run(process.env.npm_node_execpath ?? process.execPath, [process.env.npm_execpath ?? 'npm', 'ci']);
  writeFileSync(stamp, lockHash);
}
run(path.join(root, 'node_modules/.bin/node'), [path.join(root, 'scripts/generate.ts'), '--if-stale']);
