/**
 * `npm run docs:check`: every link of every page leads somewhere, and every snippet of the handbook that can be run is
 * run against a throw-away instance: shell (`sh`), SQL, GraphQL, schemas, and detections with their unit tests.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { withDeployment } from './compat/deployment.ts';
import { deadLinks } from './docs/links.ts';
import { snippetsOf } from './docs/markdown.ts';
import { runSnippets } from './docs/run-snippets.ts';

const root = path.resolve(import.meta.dirname, '..');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root });
const pages = tracked
  .toString()
  .split('\n')
  .filter((page) => page !== '' && !page.startsWith('test/fixtures/'));
const problems = [...deadLinks(root, pages)];
say(`links of ${pages.length} pages: ${problems.length} dead`);

await withDeployment(async (live) => {
  for (const page of pages.filter((name) => name.startsWith('docs/'))) {
    const snippets = snippetsOf(readFileSync(path.join(root, page), 'utf8'));
    const { problems: found, ran, shown } = await runSnippets(live, page, snippets);
    if (snippets.length > 0) say(`${page}: ${ran} snippets run, ${shown} only shown, ${found.length} failed`);
    problems.push(...found);
  }
});
for (const problem of problems) say(`FAILED ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
