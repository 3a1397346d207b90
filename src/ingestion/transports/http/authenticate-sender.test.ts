import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isFromSender } from './authenticate-sender.ts';

const body = Buffer.from('{"a":1}');

test('a shared secret must be the whole header, in any case of the header name', () => {
  const auth = { method: 'SharedSecret', headerKey: 'X-Sender-Secret' } as const;
  expect(isFromSender(auth, 's3cret', { 'x-sender-secret': 's3cret' }, body)).toBe(true);
  for (const headers of [{}, { 'x-sender-secret': 's3cre' }, { 'x-sender-secret': ['s3cret', 's3cret'] }])
    expect(isFromSender(auth, 's3cret', headers, body)).toBe(false);
});

test('bearer and basic follow their RFCs', () => {
  expect(isFromSender({ method: 'Bearer' }, 'abc', { authorization: 'bearer abc' }, body)).toBe(true);
  expect(isFromSender({ method: 'Bearer' }, 'abc', { authorization: 'abc' }, body)).toBe(false);
  const basic = { method: 'Basic', username: 'sender' } as const;
  const of = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  expect(isFromSender(basic, 'a:b', of('sender:a:b'), body)).toBe(true);
  expect(isFromSender(basic, 'a:b', of('other:a:b'), body)).toBe(false);
});

test('an HMAC covers the raw body, in hex or base64, with or without its prefix', () => {
  const auth = { method: 'HMAC', headerKey: 'X-Signature', algorithm: 'sha256' } as const;
  const hmac = createHmac('sha256', 'key').update(body);
  const digest = hmac.digest();
  for (const value of [
    digest.toString('hex'),
    digest.toString('hex').toUpperCase(),
    `sha256=${digest.toString('hex')}`,
    digest.toString('base64'),
  ])
    expect(isFromSender(auth, 'key', { 'x-signature': value }, body)).toBe(true);
  expect(isFromSender(auth, 'key', { 'x-signature': digest.toString('hex') }, Buffer.from('{"a":2}'))).toBe(false);
  expect(isFromSender(auth, 'key', {}, body)).toBe(false);
});
