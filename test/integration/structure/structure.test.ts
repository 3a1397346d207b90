import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'margay-structure-'));
cpSync(path.join(root, 'test/fixtures/structure'), folder, { recursive: true });
cpSync(path.join(root, 'scripts/lint'), path.join(folder, 'scripts/lint'), { recursive: true });
cpSync(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'));
writeFileSync(
  path.join(folder, 'src/alerts/cycle-a.ts'),
  "import { b } from './cycle-b.ts'; export const a = () => b;\n",
);
writeFileSync(
  path.join(folder, 'src/alerts/cycle-b.ts'),
  "import { a } from './cycle-a.ts'; export const b = () => a;\n",
);
writeFileSync(
  path.join(folder, 'src/alerts/long.ts'),
  `${Array.from({ length: 401 }, (_, index) => `export const a${index} = ${index};`).join('\n')}\n`,
);
writeFileSync(
  path.join(folder, 'src/alerts/long-function.ts'),
  `export function a(): void {\n${'  void 0;\n'.repeat(61)}}\n`,
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const result = spawnSync(path.join(root, 'node_modules/.bin/oxlint'), ['--format=json'], {
  cwd: folder,
  encoding: 'utf8',
});
const { diagnostics } = JSON.parse(result.stdout) as { diagnostics: { filename: string; code: string }[] };
const codesOf = (file: string) => diagnostics.filter((item) => item.filename.endsWith(file)).map((item) => item.code);

const broken = globSync('**/*.ts', { cwd: path.join(root, 'test/fixtures/structure') }).filter(
  (file) => !file.endsWith('right.ts'),
);

test.each(broken)('%s is reported', (file) => {
  expect(codesOf(file).length).toBeGreaterThan(0);
});

test('an import that the table allows is not reported', () => {
  expect(codesOf('src/alerts/right.ts')).toEqual([]);
});

test('cycles, long files and long functions are reported', () => {
  expect(codesOf('cycle-a.ts')).toContain('import(no-cycle)');
  expect(codesOf('src/alerts/long.ts')).toContain('eslint(max-lines)');
  expect(codesOf('long-function.ts')).toContain('eslint(max-lines-per-function)');
});
