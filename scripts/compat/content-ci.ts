/**
 * `npm run compat -- content-ci [--content DIR]`: carries out the steps of the pipelines in `content/ci`, as the
 * services would, on a content folder. Fetching, installing and uploading are theirs alone; the rest runs here.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';

const root = path.resolve(import.meta.dirname, '../..');

type Step = { readonly name: string; readonly command: string };

const githubWorkflow = z.object({
  jobs: z.object({
    content: z.object({ steps: z.array(z.object({ name: z.string().optional(), run: z.string().optional() })) }),
  }),
});
const circleWorkflow = z.object({
  jobs: z.object({
    content: z.object({
      steps: z.array(z.union([z.string(), z.object({ run: z.object({ name: z.string(), command: z.string() }) })])),
    }),
  }),
});

const read = (name: string): unknown => parse(readFileSync(path.join(root, 'content/ci', name), 'utf8'));

function githubSteps(): readonly Step[] {
  const { steps } = githubWorkflow.parse(read('github-actions.yml')).jobs.content;
  return steps.flatMap(({ name, run }) => (name === undefined || run === undefined ? [] : [{ name, command: run }]));
}

function circleSteps(): readonly Step[] {
  const { steps } = circleWorkflow.parse(read('circleci.yml')).jobs.content;
  return steps.flatMap((step) => (typeof step === 'string' ? [] : [step.run]));
}

/** What any pipeline must do itself before Margay is there, and what needs a deployment. */
const elsewhere = new Set(['fetch', 'install', 'upload']);

/** Runs the pipelines; returns the exit code. */
export async function runContentCi(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { content: { type: 'string', default: 'content' } } });
  const content = path.resolve(root, values.content);
  let failed = 0;
  for (const [service, steps] of [
    ['github-actions', githubSteps()],
    ['circleci', circleSteps()],
  ] as const) {
    for (const { name, command } of steps) {
      if (elsewhere.has(name)) continue;
      process.stdout.write(`\n${service}: ${name}\n$ ${command}\n`);
      const { status } = spawnSync('sh', ['-e', '-c', command], {
        cwd: root,
        stdio: 'inherit',
        env: { ...process.env, CONTENT: content },
      });
      process.stdout.write(`exit ${status ?? 'by signal'}\n`);
      if (status !== 0) failed += 1;
    }
  }
  return failed === 0 ? 0 : 1;
}
