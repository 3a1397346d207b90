import { parseArgs } from 'node:util';
import { compareQueries } from './queries/compare-queries.ts';

const usage = 'Usage: npm run compat -- queries --corpus DIR [--json] [--only NAME]\n';
/** Share of the corpus that must be right. */
const goal = 0.95;

/**
 * Runs the searches of a public detection corpus over seeded rows and says which ones ran and gave what they must. The
 * corpus is read in place and never copied. With --json the report is one line of standard output.
 */
export async function runQueries(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { corpus: { type: 'string' }, json: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  if (values.corpus === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  const report = await compareQueries({ folder: values.corpus, only: values.only, say });
  for (const { query, reason } of report.failures) say(`FAILED ${query}: ${reason}`);
  say(`${report.ran} ran, ${report.correct} correct, of ${report.total}`);
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.correct >= report.total * goal ? 0 : 1;
}
