import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Live } from '../compat/deployment.ts';
import type { Snippet } from './markdown.ts';

const run = promisify(execFile);

type Answer = { readonly data?: unknown; readonly errors?: readonly { readonly message: string }[] };

async function ask<Data>({ url, token }: Live, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${url}/public/graphql`, {
    method: 'POST',
    headers: { 'x-api-key': token, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Answer;
  if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
  return data as Data;
}

/** A shell snippet as a reader would run it, with the addresses and credentials of the throw-away instance. */
async function runShell(live: Live, text: string): Promise<void> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    TOKEN: live.token,
    SOURCE: live.sourceId,
    SECRET: live.sourceSecret,
    MARGAY_URL: live.url,
    MARGAY_API_TOKEN: live.token,
  };
  const script = text
    .replaceAll('http://127.0.0.1:8080', live.url)
    .replaceAll(/^( *)curl /gm, '$1curl -sS --fail-with-body --max-time 60 ');
  try {
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env, timeout: 120_000 });
    if (/"errors":\s*\[/.test(stdout)) throw new Error(stdout.slice(0, 400));
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${error instanceof Error ? error.message : ''} ${stdout}${stderr}`.slice(0, 600), {
      cause: error,
    });
  }
}

async function runSql(live: Live, sql: string): Promise<void> {
  type Asked = { executeDataLakeQuery: { id: string } };
  type State = { dataLakeQuery: { status: string; message: string } };
  const { executeDataLakeQuery: made } = await ask<Asked>(
    live,
    'mutation ($input: ExecuteDataLakeQueryInput!) { executeDataLakeQuery(input: $input) { id } }',
    { input: { sql } },
  );
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { dataLakeQuery: state } = await ask<State>(
      live,
      'query ($id: ID!) { dataLakeQuery(id: $id) { status message } }',
      { id: made.id },
    );
    if (state.status === 'succeeded') return;
    if (state.status !== 'running') throw new Error(`${state.status}: ${state.message}`);
    await sleep(200);
  }
  throw new Error('The query did not end.');
}

async function runSchema(live: Live, spec: string): Promise<void> {
  const name = /^schema: (\S+)$/m.exec(spec)?.[1] ?? '';
  const mutation =
    'mutation ($input: CreateOrUpdateSchemaInput!) { createOrUpdateSchema(input: $input) { schema { name } } }';
  await ask(live, mutation, { input: { name, spec } });
}

async function runDetection(live: Live, specification: string, body: string): Promise<void> {
  type Tested = {
    testDetection: readonly { readonly name: string; readonly passed: boolean; readonly error: string }[];
  };
  const mutation = 'mutation ($input: SaveDetectionInput!) { testDetection(input: $input) { name passed error } }';
  const { testDetection: results } = await ask<Tested>(live, mutation, { input: { specification, body } });
  const failed = results.find(({ passed }) => !passed);
  if (failed !== undefined) throw new Error(`the unit test "${failed.name}" fails: ${failed.error}`);
  if (results.length === 0) throw new Error('the detection has no unit test that could run');
}

/** What a snippet is run as, or undefined when it only shows something. Python belongs to the YAML before it. */
function workOf(live: Live, snippet: Snippet, next: Snippet | undefined): (() => Promise<void>) | undefined {
  const { language, text } = snippet;
  if (language === 'sh') return () => runShell(live, text);
  if (language === 'sql') return () => runSql(live, text);
  if (language === 'graphql') return async () => void (await ask(live, text));
  if (language !== 'yaml') return undefined;
  if (/^schema: /m.test(text)) return () => runSchema(live, text);
  if (/^AnalysisType: /m.test(text))
    return () => runDetection(live, text, next?.language === 'python' ? next.text : '');
  // Logic of a rule without Python: it is tried inside a rule that has nothing else.
  if (/^Detection:/m.test(text)) {
    const head = 'AnalysisType: rule\nRuleID: Docs.Snippet\nEnabled: true\nLogTypes: [AWS.CloudTrail]\nSeverity: Low\n';
    const tests = 'Tests:\n  - { Name: nothing, ExpectedResult: false, Log: {} }\n';
    return () => runDetection(live, `${head}${text}\n${tests}`, '');
  }
  return undefined;
}

/** Runs the snippets of a page in order. Returns what failed, and how many were run and only shown. */
export async function runSnippets(live: Live, page: string, snippets: readonly Snippet[]) {
  const problems: string[] = [];
  let [ran, shown] = [0, 0];
  for (const [index, snippet] of snippets.entries()) {
    const work = workOf(live, snippet, snippets[index + 1]);
    if (work === undefined) {
      shown += 1;
      continue;
    }
    ran += 1;
    try {
      await work();
    } catch (error) {
      problems.push(`${page}:${snippet.line}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { problems, ran, shown };
}
