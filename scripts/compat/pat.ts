/**
 * `npm run compat -- pat [--content DIR] [--tools DIR]`: the unmodified command line of detection repositories against a throw-away
 * instance. Prints its whole output and what each call ended with; exits 1 when one ended otherwise than expected.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadContentDirectory } from '#detections';
import { prepareTenant } from '../../src/app/first-start/first-start.ts';
import { createServices, openPlatform, openSandbox } from '../../src/app/parts.ts';
import { publicUrl } from '../../src/app/runtime.ts';
import { startDeployment } from '../../src/app/supervisor.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

type Call = { readonly args: readonly string[]; readonly expected: number };

/** Runs one command with its output on ours; nothing of our environment but the path reaches it. */
function run(file: string, args: readonly string[], environment: Record<string, string>, cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd, LANG: 'C.UTF-8', ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function withDeployment(work: (url: string, token: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-compat-'));
  await chmod(folder, 0o755);
  const environment = { MARGAY_DATA_DIR: path.join(folder, 'data'), MARGAY_PORT: '0', MARGAY_LOG_LEVEL: 'error' };
  const deployment = await startDeployment({ environment, roles: 'all', say: () => undefined });
  const platform = openPlatform(deployment.runtime);
  const sandbox = await openSandbox(deployment.runtime);
  try {
    const services = createServices(platform, deployment.runtime, sandbox);
    const { token } = await prepareTenant(services, 'compat');
    await work(publicUrl(deployment.runtime), token);
  } finally {
    await sandbox.pool.close();
    await platform.close();
    await deployment.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const doorSchema = `schema: Custom.Door
description: Doors that opened.
referenceURL: https://doors.example
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true }
  - { name: badge, type: string, indicators: [username] }
`;

/** What a repository's pipeline does, in its order. */
const callsOf = (anyId: string): readonly Call[] => [
  { args: ['check-connection'], expected: 0 },
  { args: ['test', '--path', 'content', '--show-failures-only'], expected: 0 },
  { args: ['zip', '--path', 'content', '--out', '.'], expected: 0 },
  { args: ['validate', '--path', 'content'], expected: 0 },
  // It asks once for each event of a test; before the upload, since this version refuses events that saved tables are for.
  { args: ['enrich-test-data', '--path', 'content', '--filter', 'LogTypes=GitHub.Audit'], expected: 0 },
  { args: ['upload', '--path', 'content', '--skip-tests'], expected: 0 },
  { args: ['upload', '--path', 'content', '--skip-tests', '--no-async'], expected: 0 },
  { args: ['update-custom-schemas', '--path', 'schemas'], expected: 0 },
  { args: ['delete', '--no-confirm', '--analysis-id', anyId], expected: 0 },
];

async function compatPat(content: string, tools: string): Promise<boolean> {
  const installed = await run('sh', [path.join(import.meta.dirname, 'install-pat.sh'), tools], {}, path.dirname(tools));
  if (installed !== 0) {
    say('skipped: the command line could not be installed (it needs python3, pip and a package index)');
    return true;
  }
  const { items } = await loadContentDirectory(content);
  const anyId = items.find(({ kind }) => kind === 'RULE')?.id ?? '';
  const home = await mkdtemp(path.join(tmpdir(), 'margay-pat-'));
  // It names files in its archives relative to where it stands, so it stands beside the folder.
  await cp(content, path.join(home, 'content'), { recursive: true });
  await mkdir(path.join(home, 'schemas'));
  await writeFile(path.join(home, 'schemas/door.yml'), doorSchema);
  // Templates are to be filled in by people: they are no content.
  await rm(path.join(home, 'content/templates'), { recursive: true, force: true });
  const outcomes: string[] = [];
  let isGood = true;
  await withDeployment(async (url, token) => {
    for (const { args, expected } of callsOf(anyId)) {
      say(`\n$ pat ${args.join(' ')}`);
      const startedAt = performance.now();
      const environment = { PYTHONPATH: tools, PANTHER_API_TOKEN: token, PANTHER_API_HOST: `${url}/public/graphql` };
      const code = await run(path.join(tools, 'bin/pat'), args, environment, home);
      isGood &&= code === expected;
      outcomes.push(`pat ${args[0]}: exit ${code}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    }
  });
  await rm(home, { recursive: true, force: true });
  say(`\n${outcomes.join('\n')}`);
  return isGood;
}

/** Runs the comparison; returns the exit code. */
export async function runPat(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { content: { type: 'string', default: 'content' }, tools: { type: 'string' } },
  });
  const content = path.resolve(values.content);
  if (!existsSync(content)) {
    say(`There is no folder "${values.content}".`);
    return 2;
  }
  const tools = path.resolve(values.tools ?? path.join(tmpdir(), 'margay-pat-tools'));
  return (await compatPat(content, tools)) ? 0 : 1;
}
