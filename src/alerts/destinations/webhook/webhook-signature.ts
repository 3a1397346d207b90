import { createHmac } from 'node:crypto';

/**
 * Value of `X-Margay-Signature`, by which a receiver knows that a message is ours and fresh: `t=<seconds since 1970>,
 * v1=<hex>` without the space, where the digits are HMAC-SHA256 with the shared secret over the time, a dot and the
 * body's bytes. Receivers compare in constant time and refuse times more than five minutes away.
 */
export function signatureOf(secret: string, body: string, now: Date): string {
  const time = Math.floor(now.getTime() / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}
