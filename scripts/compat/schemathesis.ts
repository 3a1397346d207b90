import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { restOperations } from '#http';
import { withDeployment } from './deployment.ts';

/**
 * `npm run compat -- schemathesis [--examples N] [--python PYTHON] [--tools DIR]`: requests made up from the API
 * document, against a throw-away instance: no 5xx, no status that the document lacks, no body that
 * does not fit. Exits with what the tool says.
 */
export async function runSchemathesis(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      examples: { type: 'string', default: '10' },
      python: { type: 'string', default: 'python3' },
      tools: { type: 'string' },
    },
  });
  const tools = path.resolve(values.tools ?? path.join(tmpdir(), 'margay-schemathesis-tools'));
  const install = [path.join(import.meta.dirname, 'install-python.sh'), tools, values.python, 'schemathesis>=4'];
  if (spawnSync('sh', install, { stdio: 'inherit' }).status !== 0) {
    process.stdout.write('skipped: schemathesis could not be installed (it needs Python and a package index)\n');
    return 0;
  }
  let status = 1;
  await withDeployment(async ({ url, token }) => {
    const checks = 'not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance';
    const options = ['--checks', checks, '--max-examples', values.examples, '--phases', 'examples,coverage,fuzzing'];
    // What is owed answers 501, and a token that rotates or deletes itself ends the run.
    const owed = restOperations.filter(({ operation }) => operation.owedTo !== undefined).map(({ path: it }) => it);
    const left = [...new Set([...owed, '/api-tokens'])].map((it) => RegExp.escape(it)).join('|');
    const scope = ['--exclude-path-regex', `^(${left})`, '--header', `X-API-Key: ${token}`, '--no-color'];
    const ran = spawnSync(
      path.join(tools, 'bin/st'),
      ['run', `${url}/openapi.json`, '--url', url, ...options, ...scope],
      { stdio: 'inherit', cwd: tmpdir() },
    );
    status = ran.status ?? 1;
  });
  return status;
}
