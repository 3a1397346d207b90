/** `npm run size`: how large the sources are, and what is longer than the style allows. */
import { globSync, readFileSync } from 'node:fs';

const files = globSync(
  ['src/**/*.{ts,py}', 'graphql/**/*.ts', 'jobs/**/*.ts', 'scripts/**/*.{ts,mjs}', 'test/**/*.ts'],
  {
    exclude: (name) => name.includes('generated') || name.includes('fixtures'),
  },
).map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }));
const isTest = (file: string) => file.includes('.test.') || file.startsWith('test/');
const percentile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;

for (const [name, group] of Object.entries({
  product: files.filter(({ file }) => !isTest(file)),
  tests: files.filter(({ file }) => isTest(file)),
})) {
  const lines = group.map((item) => item.lines);
  const total = lines.reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `${name}: ${group.length} files, ${total} lines, median ${percentile(lines, 0.5)}, p95 ${percentile(lines, 0.95)}, longest ${Math.max(...lines)}\n`,
  );
}
for (const { file, lines } of files.filter((item) => item.lines > 300).toSorted((a, b) => b.lines - a.lines))
  process.stdout.write(`  ${lines} ${file}\n`);
