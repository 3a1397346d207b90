import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { queryCommand } from './query-command.ts';

/** A deployment on which a query runs until somebody cancels it; `asked` are the operations it saw. */
async function startEndlessDeployment(asked: string[], onLook: () => void) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const name = /\b(executeDataLakeQuery|cancelDataLakeQuery|dataLakeQuery)\b/.exec(body)?.[1] ?? '';
      asked.push(name);
      if (name === 'dataLakeQuery') onLook();
      const progress = { rowsRead: 1, bytesRead: 2, rowCount: 0 };
      const found = name === 'dataLakeQuery' ? { id: 'q', status: 'running', message: '', progress } : { id: 'q' };
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
