import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { queryCommand } from './query-command.ts';

/** A deployment on which a query runs until somebody cancels it; `asked` are the operations it saw. */
const startEndlessDeployment = (asked: string[], onLook: () => void) =>
  startDeployment('running', (name) => {
    asked.push(name);
    if (name === 'dataLakeQuery') onLook();
  });

type Variables = { readonly input?: { readonly sql?: string; readonly dialect?: string } };

/** A deployment on which every query has the given status, and one that was asked. */
async function startDeployment(status: string, onAsked: (name: string, variables: Variables) => void) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const name = /\b(executeDataLakeQuery|cancelDataLakeQuery|dataLakeQuery)\b/.exec(body)?.[1] ?? '';
      onAsked(name, (JSON.parse(body) as { readonly variables: Variables }).variables);
      const progress = { rowsRead: 1, bytesRead: 2, rowCount: 0 };
      const found = name === 'dataLakeQuery' ? { id: 'q', status, message: '', progress } : { id: 'q' };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { [name]: found } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test('whoever ends the command ends the query', async () => {
  const asked: string[] = [];
  let interrupt: (() => void) | undefined;
  const deployment = await startEndlessDeployment(asked, () => interrupt?.());
  const running = queryCommand.run(['select 1'], {
    environment: { MARGAY_URL: deployment.url, MARGAY_API_TOKEN: 'token' },
    say: () => undefined,
    onInterrupt(listener) {
      interrupt = listener;
      return () => (interrupt = undefined);
    },
  });
  await expect(running).rejects.toThrow('The query was cancelled.');
  expect(asked.at(0)).toBe('executeDataLakeQuery');
  expect(asked.at(-1)).toBe('cancelDataLakeQuery');
  expect(interrupt).toBeUndefined();
  deployment.close();
});

test('a statement goes out as it was written, its pragma first, however it is given', async () => {
  const sql = '-- pragma: clickhouse\nselect countIf(n > 1) from custom_act';
  const seen: Variables['input'][] = [];
  const deployment = await startDeployment('failed', (_name, { input }) => {
    if (input !== undefined) seen.push(input);
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-query-'));
  const file = path.join(folder, 'search.sql');
  await writeFile(file, sql);
  const io = {
    environment: { MARGAY_URL: deployment.url, MARGAY_API_TOKEN: 'token' },
    say: () => undefined,
  };
  for (const args of [[sql], ['--json', sql], [sql, '--timeout', '9'], ['--file', file]])
    await expect(queryCommand.run(args, io)).rejects.toThrow('The query failed');
  const input = new PassThrough();
  input.end(`${sql};\n`);
  await queryCommand.run([], { ...io, terminal: { input, output: new PassThrough() } });
  expect(seen).toEqual(Array.from({ length: 5 }, () => ({ sql, databaseName: 'panther_logs' })));
  await expect(queryCommand.run([sql, sql], io)).rejects.toThrow('Usage:');
  await expect(queryCommand.run(['--nope'], io)).rejects.toThrow("Unknown option '--nope'");
  deployment.close();
  await rm(folder, { recursive: true });
});
