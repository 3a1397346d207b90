/**
 * `npm run bench -- <name> [options] [--json]`: runs one benchmark of `scripts/bench`. With --json the last line of
 * standard output is the figures as one object. Without a name: what there is.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { asBenchmark, type Benchmark } from './bench/support/benchmark.ts';

const folder = path.join(import.meta.dirname, 'bench');

async function names(): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .toSorted();
}

async function load(name: string): Promise<Benchmark> {
  const module = (await import(path.join(folder, `${name}.ts`))) as { readonly benchmark?: unknown };
  return asBenchmark(name, module.benchmark);
}

async function usage(): Promise<string> {
  const lines: string[] = [];
  for (const name of await names()) {
    const { summary, options } = await load(name);
    const flags = Object.entries(options).map(([flag, { default: value }]) => `--${flag} ${value}`);
    lines.push(`  ${name}  ${summary}`, `    ${[...flags, '--json'].join('  ')}`);
  }
  return `Usage: npm run bench -- <name> [options] [--json]\n\n${lines.join('\n')}\n`;
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || !(await names()).includes(name)) {
    process.stderr.write(await usage());
    return 2;
  }
  const benchmark = await load(name);
  const { values } = parseArgs({
    args: rest,
    options: { ...benchmark.options, json: { type: 'boolean', default: false } },
  });
  const { json: isJson, ...given } = values;
  const say = (line: string): void => void (isJson ? process.stderr : process.stdout).write(`${line}\n`);
  const { figures, problems } = await benchmark.run({ options: given as Record<string, string>, say });
  say(JSON.stringify(figures, null, 2));
  for (const problem of problems) say(`PROBLEM ${problem}`);
  if (isJson) process.stdout.write(`${JSON.stringify({ benchmark: name, ...figures, problems })}\n`);
  return problems.length === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
