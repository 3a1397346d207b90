/** The size rule for Python, which oxlint does not read. Prints what is longer than it may be and exits 1. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const fileLinesMax = 400;
const functionLinesMax = 60;
const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Lines from `def` to the last line that is indented deeper, closing brackets of the signature included. */
function functionLines(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start] ?? '');
  let end = start;
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line.trim() === '') continue;
    if (indentOf(line) <= indent && !/^\s*[)\]}]/.test(line)) break;
    end = index;
  }
  return end - start + 1;
}

/** What is too long in one Python file, one sentence each. */
export function longParts(file: string, text: string): readonly string[] {
  const lines = text.split('\n');
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  const problems =
    count > fileLinesMax ? [`${file} has ${count} lines, more than ${fileLinesMax}: split it by noun.`] : [];
  for (const [index, line] of lines.entries()) {
    const name = /^\s*(?:async )?def (\w+)/.exec(line)?.[1];
    const length = name === undefined ? 0 : functionLines(lines, index);
    if (length > functionLinesMax)
      problems.push(`${file}:${index + 1} ${name} has ${length} lines, more than ${functionLinesMax}.`);
  }
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const root = path.resolve(import.meta.dirname, '../..');
  const problems = globSync(['src/**/*.py', 'content/**/*.py'], { cwd: root }).flatMap((file) =>
    longParts(file, readFileSync(path.join(root, file), 'utf8')),
  );
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
}
