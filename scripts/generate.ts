/**
 * Generates what is not committed: the Prisma client, tables for Python libraries, types of GraphQL, a started
 * interpreter. `--if-stale` skips fresh output.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generateLibraryData } from './generate-library-data.ts';

const root = path.resolve(import.meta.dirname, '..');
const stampPath = path.join(root, 'node_modules/.margay-generated');
const inputs = globSync(
  ['prisma/*.prisma', 'graphql/{schema,documents}/*.graphql', 'scripts/generate*.ts', 'package-lock.json'],
  {
    cwd: root,
  },
).toSorted();
const hash = createHash('sha256');
for (const input of inputs) hash.update(input).update(readFileSync(path.join(root, input)));
const digest = hash.digest('hex');
const libraryData = 'src/detections/sandbox/generated';
const outputs = [
  'src/platform/postgres/generated/client.ts',
  `${libraryData}/pycountry/table.LICENSE`,
  'graphql/generated/resolvers.ts',
  'graphql/generated/operations.ts',
  'graphql/generated/persisted.json',
];
const isFresh =
  existsSync(stampPath) &&
  readFileSync(stampPath, 'utf8') === digest &&
  outputs.every((output) => existsSync(path.join(root, output)));

if (!isFresh || !process.argv.includes('--if-stale')) {
  const prisma = spawnSync(process.execPath, ['node_modules/prisma/build/index.js', 'generate'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
  });
  if (prisma.status !== 0) {
    process.stderr.write(`${prisma.stdout}${prisma.stderr}`);
    process.exit(1);
  }
  await generateLibraryData(path.join(root, libraryData));
  const { generateGraphql } = await import('./generate-graphql.ts');
  await generateGraphql(root);
  mkdirSync(path.dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, digest);
}

// It reads what was generated above.
const { generateInterpreter } = await import('./generate-interpreter.ts');
await generateInterpreter();
