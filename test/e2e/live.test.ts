import { afterAll, expect, test } from 'vitest';
import { print } from 'graphql';
import { createClient as createSocketClient } from 'graphql-ws';
import { NewAlertsDocument, type NewAlertsSubscription } from '../../graphql/generated/operations.ts';
import { startTestDeployment } from '../support/deployment.ts';

/** Alerts as they are raised, over both transports, and never those of another tenant. */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
afterAll(() => deployment.stop());

const query = print(NewAlertsDocument);

const open = (token: string, text = query) =>
  fetch(`${deployment.url}/public/graphql/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': token },
    body: JSON.stringify({ query: text }),
  });

/** Text of a stream until it holds what is wanted. */
async function readUntil(response: Response, wanted: string, timeoutMs: number): Promise<string> {
  const reader = response.body?.getReader();
  let text = '';
  const deadline = setTimeout(() => void reader?.cancel(), timeoutMs);
  while (reader && !text.includes(wanted)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  clearTimeout(deadline);
  await reader?.cancel();
  return text;
}

test('a new alert reaches its tenant over events and sockets, and nobody else', { timeout: 180_000 }, async () => {
  const [own, foreign] = [await open(owner.token), await open(stranger.token)];
  expect(own.headers.get('content-type')).toContain('text/event-stream');
  const socket = createSocketClient({
    url: `${deployment.url.replace(/^http/, 'ws')}/public/graphql/ws`,
    webSocketImpl: WebSocket,
    connectionParams: { 'X-API-Key': owner.token },
  });
  const bySocket = (async () => {
    for await (const { data } of socket.iterate<NewAlertsSubscription>({ query })) return data?.newAlerts.id;
    return undefined;
  })();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await owner.send(
    `${JSON.stringify({ '@timestamp': Date.now(), action: 'protected_branch.destroy', actor: 'x', repo: 'x/live' })}\n`,
  );
  const text = await readUntil(own, 'newAlerts', 120_000);
  const id = /"id":"([0-9a-f]{32})"/.exec(text)?.[1];
  expect(id).toBeDefined();
  expect(await bySocket).toBe(id);
  expect(await readUntil(foreign, 'newAlerts', 3000)).not.toContain('newAlerts');
  await socket.dispose();
});

test('without a credential nothing is opened, and queries are not run on the way', async () => {
  expect((await open('margay_nonsense')).status).toBe(401);
  expect(await readUntil(await open(owner.token, '{ isSignedIn }'), 'Only subscriptions', 5000)).toContain(
    'Only subscriptions',
  );
  const { errors } = await owner.ask(query);
  expect(errors?.[0]?.message).toContain('/public/graphql/stream');
});
