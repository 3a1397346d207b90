import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { open, seal } from './seal.ts';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
const saltBytes = 16;
/** 128 MiB and about half a second for each guess (OWASP Password Storage Cheat Sheet). */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const bound = 'margay passphrase 1';

/** Encrypts a text so that the passphrase opens it: salt, then AES-256-GCM under a key of scrypt. */
export async function sealWithPassphrase(passphrase: string, text: string): Promise<Buffer> {
  const salt = randomBytes(saltBytes);
  return Buffer.concat([salt, seal(await derive(passphrase, salt, 32, cost), bound, Buffer.from(text))]);
}

/** Undefined when the passphrase is another, or the bytes were changed. */
export async function openWithPassphrase(passphrase: string, bytes: Buffer): Promise<string | undefined> {
  const key = await derive(passphrase, bytes.subarray(0, saltBytes), 32, cost);
  try {
    return open(key, bound, bytes.subarray(saltBytes)).toString('utf8');
  } catch {
    return undefined;
  }
}
