import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpAuth } from '../../sources/http-source.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Compares digests, so that neither content nor length of the secret shows in the time it takes. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** The one value of a header; a repeated header is no value, because proxies differ in which one they mean. */
function headerOf(headers: Headers, name: string): string {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : '';
}

function isHmacOf(given: string, algorithm: 'sha256' | 'sha1', secret: string, body: Uint8Array): boolean {
  const digest = createHmac(algorithm, secret).update(body).digest();
  const bare = given.startsWith(`${algorithm}=`) ? given.slice(algorithm.length + 1) : given;
  return isSame(bare.toLowerCase(), digest.toString('hex')) || isSame(bare, digest.toString('base64'));
}

function isBasic(authorization: string, username: string, password: string): boolean {
  if (!/^basic /i.test(authorization)) return false;
  const decoded = Buffer.from(authorization.slice(6).trim(), 'base64').toString('utf8');
  return isSame(decoded, `${username}:${password}`);
}

/**
 * Whether a request proves that it comes from the source's sender. `body` is the raw wire body: an HMAC covers what
 * was sent, not what it decompresses to. Bearer: RFC 6750; Basic: RFC 7617.
 */
export function isFromSender(auth: HttpAuth, secret: string, headers: Headers, body: Uint8Array): boolean {
  switch (auth.method) {
    case 'None':
      return true;
    case 'SharedSecret':
      return isSame(headerOf(headers, auth.headerKey), secret);
    case 'Bearer': {
      const given = headerOf(headers, 'authorization');
      return /^bearer /i.test(given) && isSame(given.slice(7).trim(), secret);
    }
    case 'Basic':
      return isBasic(headerOf(headers, 'authorization'), auth.username, secret);
    case 'HMAC':
      return isHmacOf(headerOf(headers, auth.headerKey), auth.algorithm, secret, body);
  }
}
