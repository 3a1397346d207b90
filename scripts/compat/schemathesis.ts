import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { restOperations } from '#http';
import { withDeployment } from './deployment.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const conformance = ['status_code_conformance', 'response_schema_conformance', 'content_type_conformance'];

type Route = (typeof restOperations)[number];

/** Routes that are asked together, by one token. */
type Part = {
  readonly name: string;
  readonly routes: readonly Route[];
  readonly checks: readonly string[];
  /** Whether the token must be good at the end: answers to a lost one would all be right, and mean nothing. */
  readonly keepsToken: boolean;
};

const isOwed = ({ operation }: Route): boolean => operation.owedTo !== undefined;
const isOfTokens = (route: Route): boolean => route.path.startsWith('/api-tokens');
const all = [...conformance, 'not_a_server_error', 'ignored_auth'];

/**
 * Every route is in one part. What is owed answers 501, which is a server error to the tool. Ids come from answers, so
 * a token may change, rotate or delete itself: each route about tokens has a token of its own.
 */
const parts: readonly Part[] = [
  {
    name: 'built',
    routes: restOperations.filter((route) => !isOwed(route) && !isOfTokens(route)),
    checks: all,
    keepsToken: true,
  },
  { name: 'owed', routes: restOperations.filter(isOwed), checks: conformance, keepsToken: true },
  ...restOperations.filter(isOfTokens).map((route) => ({
    name: route.id,
    routes: [route],
    checks: all,
    keepsToken: route.method === 'GET' || !route.path.includes('{'),
  })),
];

type Run = {
  readonly file: string;
  readonly url: string;
  readonly examples: string;
  readonly seed: string;
  readonly folder: string;
};

const reportOf = ({ folder }: Run, { name }: Part): string => path.join(folder, `${name.replaceAll(/\W/g, '-')}.xml`);

/** Runs the tool over one part; returns what it ended with and the seconds it took. */
async function runPart(part: Part, run: Run, token: string) {
  const { file, url, examples, seed, folder } = run;
  const args = [
    ...['run', `${url}/openapi.json`, '--url', url, '--header', `X-API-Key: ${token}`, '--no-color'],
    ...part.routes.flatMap(({ id }) => ['--include-operation-id', id]),
    ...['--checks', part.checks.join(','), '--continue-on-failure'],
    ...['--max-examples', examples, '--seed', seed, '--phases', 'examples,coverage,fuzzing', '--no-shrink'],
    ...['--request-timeout', '60', '--suppress-health-check', 'all', '--warnings', 'off'],
    ...['--report', 'junit', '--report-junit-path', reportOf(run, part), '--generation-database', 'none'],
  ];
  const startedAt = performance.now();
  const child = spawn(file, args, { stdio: 'inherit', cwd: folder });
  const status = await new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
  });
  return { status, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

/** Operations that the tool names in its report, so that none is left out in silence. */
async function testedIn(run: Run, part: Part): Promise<ReadonlySet<string>> {
  const report = await readFile(reportOf(run, part), 'utf8').catch(() => '');
  return new Set([...report.matchAll(/<testcase[^>]* name="([^"]+)"/g)].map(([, operation = '']) => operation));
}

const self = async (url: string, token: string) => fetch(`${url}/api-tokens/self`, { headers: { 'x-api-key': token } });

/** A token with all permissions of the given one. */
async function anotherToken(url: string, token: string, name: string): Promise<string> {
  const { permissions } = (await (await self(url, token)).json()) as { readonly permissions: readonly string[] };
  const headers = { 'x-api-key': token, 'content-type': 'application/json' };
  const body = JSON.stringify({ name, permissions });
  const answer = await fetch(`${url}/api-tokens`, { method: 'POST', headers, body });
  return ((await answer.json()) as { readonly value: string }).value;
}

type Outcome = { readonly lines: readonly string[]; readonly isFine: boolean; readonly reached: number };

async function tryPart(part: Part, run: Run, token: string): Promise<Outcome> {
  const { status, seconds } = await runPart(part, run, token);
  const tested = await testedIn(run, part);
  const missing = part.routes
    .map(({ method, path: address }) => `${method} ${address}`)
    .filter((it) => !tested.has(it));
  const isKept = !part.keepsToken || (await self(run.url, token)).status === 200;
  const reached = part.routes.length - missing.length;
  const ended = status === 0 ? 'nothing found' : 'FOUND SOMETHING';
  return {
    reached,
    isFine: status === 0 && missing.length === 0 && isKept,
    lines: [
      `${part.name}: ${reached} of ${part.routes.length} operations, ${ended}, ${seconds} s`,
      ...missing.map((it) => `  not tested: ${it}`),
      ...(isKept ? [] : ['  the token was lost on the way: what came after means nothing']),
    ],
  };
}

async function runAll(file: string, examples: string, seed: string): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-schemathesis-'));
  const outcomes: Outcome[] = [];
  await withDeployment(async ({ url, token }) => {
    const run = { file, url, examples, seed, folder };
    for (const part of parts) outcomes.push(await tryPart(part, run, await anotherToken(url, token, part.name)));
  });
  await rm(folder, { recursive: true, force: true });
  const reached = outcomes.reduce((sum, outcome) => sum + outcome.reached, 0);
  say(`\n${outcomes.flatMap(({ lines }) => lines).join('\n')}`);
  say(`schemathesis: ${reached} of ${restOperations.length} operations, ${examples} examples each, seed ${seed}`);
  return outcomes.every(({ isFine }) => isFine);
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
