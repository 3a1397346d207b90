// Adds the platform packages that a registry mirror did not offer while the lockfile was written.
// Without them `npm ci` refuses the lockfile; with them each platform resolves its own by name and version.
import { readFileSync, writeFileSync } from 'node:fs';

const lockPath = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(lockPath, 'utf8'));
const platforms = {
  'darwin-arm64': { os: ['darwin'], cpu: ['arm64'] },
  'darwin-x64': { os: ['darwin'], cpu: ['x64'] },
  'linux-arm64-gnu': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
};
for (const [platform, limits] of Object.entries(platforms)) {
  const name = `@chdb/lib-${platform}`;
  const version = lock.packages['node_modules/chdb'].optionalDependencies[name];
  lock.packages[`node_modules/${name}`] ??= { version, ...limits, license: 'Apache-2.0', optional: true };
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`);
