import { createServer, type RequestListener } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { createHttpClient } from './http-client.ts';
import { objectionToUrl } from './outbound-url.ts';

let answer: RequestListener = (_request, response) => void response.end('ok');
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  answer(request, response);
});
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
afterAll(() => void server.close());
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

const strict = createAddressGuard([]);
const loopback = createAddressGuard(['127.0.0.0/8']);
const post = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'hello' } as const;
const limits = { totalTimeoutMs: 300 };
const client = createHttpClient({ guard: loopback, limits });
const send = (path = '/', host = '127.0.0.1') => client.send({ ...post, url: `http://${host}:${port}${path}` });

test.each([
  ['https://2130706433/', 'private'],
  ['https://0x7f.1/', 'private'],
  ['https://0177.0.0.1/', 'private'],
  ['https://127.1/', 'private'],
  ['https://[::1]/', 'private'],
  ['https://[::ffff:7f00:1]/', 'private'],
  ['https://[::ffff:169.254.169.254]/', 'private'],
  ['http://example.com/', 'https'],
  ['ftp://example.com/', 'https'],
  ['https://user:secret@example.com/', 'user name'],
  ['https://example.com:22/', 'port'],
  ['https://', 'not a URL'],
  [`https://example.com/${'a'.repeat(2048)}`, 'longer'],
])('%s may not be called', (url, word) => {
  expect(objectionToUrl(url, strict)).toContain(word);
});

test('an ordinary https URL may be called', () => {
  expect(objectionToUrl('https://hooks.example.com/in?x=1', strict)).toBeUndefined();
  expect(objectionToUrl('https://hooks.example.com:8443/in', strict)).toBeUndefined();
});

test('a request reaches an allowed address and brings back the answer', async () => {
  answer = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.writeHead(202).end(`${request.method} ${Buffer.concat(chunks).toString()}`));
  };
  const outcome = await send();
  expect(outcome).toMatchObject({ kind: 'response', status: 202, isPublicAddress: false });
  expect(outcome.kind === 'response' && outcome.body.toString()).toBe('POST hello');
});

test('a name that leads to a private address is refused before anything is sent', async () => {
  const before = requests;
  const rebound = createHttpClient({ guard: strict, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
  const outcome = await rebound.send({ ...post, url: `https://rebind.example.com:${port}/` });
  expect(outcome).toMatchObject({ kind: 'refused' });
  expect(requests).toBe(before);
});

test('one private address among public ones refuses the name', async () => {
  const mixed = createHttpClient({
    guard: strict,
    resolve: async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '::ffff:10.0.0.1', family: 6 },
    ],
  });
  expect(await mixed.send({ ...post, url: 'https://mixed.example.com/' })).toMatchObject({ kind: 'refused' });
});

test('the connection goes to the address that was judged: the name is asked once', async () => {
  answer = (request, response) => void response.end(request.headers.host);
  let asked = 0;
  const rebinding = createHttpClient({
    guard: loopback,
    limits,
    resolve: async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    },
  });
  const outcome = await rebinding.send({ ...post, url: `http://rebind.example.com:${port}/` });
  expect(outcome.kind === 'response' && outcome.body.toString()).toBe(`rebind.example.com:${port}`);
  expect(asked).toBe(1);
});

test('a public address is not reached by plain http, even when private ranges are open', async () => {
  const open = createHttpClient({ guard: loopback, resolve: async () => [{ address: '8.8.8.8', family: 4 }] });
  expect(await open.send({ ...post, url: 'http://example.com/' })).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('https only'),
  });
});

test('a redirect is an answer and is not followed', async () => {
  const before = requests;
  answer = (_request, response) => void response.writeHead(302, { Location: 'http://127.0.0.1/other' }).end();
  expect(await send()).toMatchObject({ kind: 'response', status: 302 });
  expect(requests).toBe(before + 1);
});

test('an endless answer is cut at the ceiling', async () => {
  answer = (_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  const outcome = await send();
  expect(outcome.kind === 'response' && outcome.body.length).toBe(64 * 1024);
});

test('a receiver that does not answer in time counts as failed', async () => {
  answer = () => undefined;
  expect(await send()).toMatchObject({ kind: 'failed', reason: 'timeout' });
});

test('a receiver that drips its answer cannot hold the request beyond its time', async () => {
  answer = (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  };
  const startedAt = performance.now();
  expect(await send()).toMatchObject({ kind: 'failed', reason: 'timeout' });
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test('a name server that does not answer counts as failed in time', async () => {
  const silent = createHttpClient({
    guard: strict,
    limits: { connectTimeoutMs: 50 },
    resolve: () => new Promise(() => undefined),
  });
  expect(await silent.send({ ...post, url: 'https://slow.example.com/' })).toMatchObject({
    kind: 'failed',
    reason: 'timeout',
  });
});

test('a closed port and an unknown name count as failed and may be tried again', async () => {
  const closed = await client.send({ ...post, url: 'http://127.0.0.1:9/' });
  expect(closed).toMatchObject({ kind: 'failed', reason: 'connection' });
  const unknown = createHttpClient({
    guard: strict,
    resolve: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
  });
  expect(await unknown.send({ ...post, url: 'https://nowhere.example.com/' })).toMatchObject({
    kind: 'failed',
    reason: 'name_not_found',
  });
});
