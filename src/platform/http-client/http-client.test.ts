import { createServer } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import { createOutboundClient, isAllowedAddress } from './index.ts';

const server = createServer((request, response) =>
  response.writeHead(request.url === '/moved' ? 302 : 200, { location: 'http://127.0.0.1/' }).end('hello'),
);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
afterAll(() => server.close());
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const request = { headers: {}, body: '{}', timeoutMs: 2000 };

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '169.254.169.254',
  '192.168.0.1',
  '::1',
  'fe80::1',
  'fd00::1',
  '::ffff:127.0.0.1',
  '0.0.0.0',
  '100.64.0.1',
  '224.0.0.1',
])('%s is refused', (given) => {
  expect(isAllowedAddress(given, [])).toBe(false);
});

test('public addresses, and private ones that the operator allows, are let through', () => {
  expect(isAllowedAddress('93.184.216.34', [])).toBe(true);
  expect(isAllowedAddress('10.1.2.3', ['10.0.0.0/8'])).toBe(true);
  expect(isAllowedAddress('::ffff:10.1.2.3', ['10.0.0.0/8'])).toBe(true);
});

test.each(['127.0.0.1', '2130706433', '0x7f.1', 'localhost', '[::ffff:7f00:1]'])(
  'a message to http://%s is not sent',
  async (host) => {
    await expect(
      createOutboundClient({ allowedCidrs: [] }).post(`http://${host}:${port}/`, request),
    ).rejects.toMatchObject({ code: 'bad_input', field: 'url' });
  },
);

test('an allowed address is reached, and a redirect is not followed', async () => {
  const client = createOutboundClient({ allowedCidrs: ['127.0.0.0/8', '::1/128'] });
  expect(await client.post(`http://localhost:${port}/`, request)).toEqual({ status: 200, body: 'hello' });
  expect((await client.post(`http://127.0.0.1:${port}/moved`, request)).status).toBe(302);
});
