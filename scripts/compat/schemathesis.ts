import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { restOperations } from '#http';
import { withDeployment } from './deployment.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const conformance = ['status_code_conformance', 'response_schema_conformance', 'content_type_conformance'];

/** Routes that answer are asked for all of it; those that are owed answer 501, which is a server error to the tool. */
const parts = [
  { name: 'built', isOwed: false, checks: [...conformance, 'not_a_server_error', 'ignored_auth'] },
  { name: 'owed', isOwed: true, checks: conformance },
];

type Part = (typeof parts)[number];

const pathsOf = ({ isOwed }: Part): readonly string[] => [
  ...new Set(
    restOperations
      .filter(({ operation }) => (operation.owedTo !== undefined) === isOwed)
      .map(({ path: address }) => address),
  ),
];

type Run = {
  readonly file: string;
  readonly url: string;
  readonly token: string;
  readonly examples: string;
  readonly seed: string;
  readonly folder: string;
};

/** Runs the tool over one part; returns what it ended with and the seconds it took. */
async function runPart(part: Part, { file, url, token, examples, seed, folder }: Run) {
  const only = pathsOf(part)
    .map((address) => RegExp.escape(address))
    .join('|');
  const args = [
    ...['run', `${url}/openapi.json`, '--url', url, '--header', `X-API-Key: ${token}`, '--no-color'],
    ...['--include-path-regex', `^(${only})$`, '--checks', part.checks.join(','), '--continue-on-failure'],
    ...['--max-examples', examples, '--seed', seed, '--phases', 'examples,coverage,fuzzing', '--no-shrink'],
    ...['--request-timeout', '60', '--suppress-health-check', 'all', '--workers', '2', '--warnings', 'off'],
    ...['--report', 'junit', '--report-junit-path', path.join(folder, `${part.name}.xml`)],
    ...['--generation-database', 'none'],
  ];
  const startedAt = performance.now();
  const child = spawn(file, args, { stdio: 'inherit', cwd: folder });
  const status = await new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
  });
  return { status, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

/** Operations that the tool names in its report, so that none was left out in silence. */
async function testedIn(folder: string, { name }: Part): Promise<readonly string[]> {
  const report = await readFile(path.join(folder, `${name}.xml`), 'utf8').catch(() => '');
  return [...report.matchAll(/<testcase[^>]* name="([^"]+)"/g)].map(([, operation = '']) => operation);
}

/** The token must still be good at the end: answers to a bad one would all be right, and mean nothing. */
async function isGood(url: string, token: string): Promise<boolean> {
  const answer = await fetch(`${url}/api-tokens/self`, { headers: { 'x-api-key': token } });
  return answer.status === 200;
}

async function runAll(file: string, examples: string, seed: string): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-schemathesis-'));
  const lines: string[] = [];
  let isFine = true;
  await withDeployment(async ({ url, token }) => {
    for (const part of parts) {
      const { status, seconds } = await runPart(part, { file, url, token, examples, seed, folder });
      const wanted = restOperations.filter(({ operation }) => (operation.owedTo !== undefined) === part.isOwed);
      const tested = new Set(await testedIn(folder, part));
      const missing = wanted.map(({ method, path: address }) => `${method} ${address}`).filter((it) => !tested.has(it));
      isFine &&= status === 0 && missing.length === 0;
      lines.push(
        `${part.name}: ${wanted.length - missing.length} of ${wanted.length} operations, exit ${status}, ${seconds} s, seed ${seed}`,
        ...missing.map((it) => `  not tested: ${it}`),
      );
    }
    const kept = await isGood(url, token);
    isFine &&= kept;
    if (!kept) lines.push('the token was lost on the way: what came after means nothing');
  });
  say(`\n${lines.join('\n')}`);
  await rm(folder, { recursive: true, force: true });
  return isFine;
}

/**
 * `npm run compat -- schemathesis [--examples N] [--seed N] [--python PYTHON] [--tools DIR]`: requests made up from the
 * API document, against a throw-away instance, over every route: no 5xx, no status that the document lacks, no body
 * that does not fit, nothing without a credential. Exits with 1 when the tool finds something or leaves a route out.
 */
export async function runSchemathesis(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      examples: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      python: { type: 'string', default: 'python3' },
      tools: { type: 'string' },
    },
  });
  const tools = path.resolve(values.tools ?? path.join(tmpdir(), 'margay-schemathesis-tools'));
  const install = [path.join(import.meta.dirname, 'install-python.sh'), tools, values.python, 'schemathesis>=4'];
  if (spawnSync('sh', install, { stdio: 'inherit' }).status !== 0) {
    say('skipped: schemathesis could not be installed (it needs Python and a package index)');
    return 0;
  }
  return (await runAll(path.join(tools, 'bin/st'), values.examples, values.seed)) ? 0 : 1;
}
