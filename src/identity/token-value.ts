import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const prefix = 'margay_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(number: bigint, length: number): string {
  let text = '';
  for (let rest = number; text.length < length; rest /= 62n) text = (alphabet[Number(rest % 62n)] ?? '0') + text;
  return text;
}

const checksum = (body: string): string => base62(BigInt(crc32(body)), 6);

/** A new token: a prefix and a checksum, by which secret scanners recognise it, around 238 random bits. */
export function newTokenValue(): string {
  const body = base62(BigInt(`0x${randomBytes(30).toString('hex')}`), 40);
  return `${prefix}${body}${checksum(body)}`;
}

/** Cheap look before the database is asked. */
export function isTokenValue(text: string): boolean {
  const body = text.slice(prefix.length, -6);
  return text.startsWith(prefix) && body.length === 40 && checksum(body) === text.slice(-6);
}

/** What is stored: tokens are long and random, so a plain SHA-256 suffices. */
export const hashTokenValue = (value: string): Buffer => createHash('sha256').update(value).digest();
