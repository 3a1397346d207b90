import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError } from '#platform/errors';

const deriveNow = promisify(argon2);

/** Hashes that wait at most: at 30 to 130 ms each, no longer than a person still waits. */
const waitingMax = 32;
let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

/**
 * One hash at a time in a process: each takes a core for tens of milliseconds and 19 MiB, and a storm of sign-ins must
 * leave the others both. When too many wait the next one is refused as `unavailable`.
 */
async function derive(...of: Parameters<typeof deriveNow>): Promise<Buffer> {
  if (waiting >= waitingMax)
    throw new DomainError('unavailable', {
      publicMessage: 'Too many sign-ins at once. Try again in a few seconds.',
      retryAfterSeconds: 5,
    });
  waiting += 1;
  const mine = last.then(() => deriveNow(...of));
  last = mine.catch(() => undefined);
  try {
    return await mine;
  } finally {
    waiting -= 1;
  }
}

/** OWASP's argon2id setting: 19 MiB, two passes, one lane. Written into each hash, so it can change later. */
const current = { memory: 19_456, passes: 2, parallelism: 1 };
const tagLength = 32;
const saltLength = 16;

/** OWASP ASVS 5.0, 6.2: at least 8 characters, all characters allowed, at least 64 accepted; no rules of composition. */
const passwordLength = { min: 12, max: 128 };

/** Passwords that head every list of leaked ones, in the lengths we would accept, and the words around this product. */
const forbidden = [
  'password',
  'passwort',
  '1234567890',
  'qwertyuiop',
  'letmein',
  'iloveyou',
  'administrator',
  'welcome',
  'changeme',
  'margay',
  'abcdefgh',
];

/** Why a password is refused, or undefined. `words` are those of its owner: name, e-mail, organization. */
export function passwordProblem(password: string, words: readonly string[]): string | undefined {
  if (password.length < passwordLength.min) return `must have ${passwordLength.min} characters or more`;
  if (password.length > passwordLength.max) return `has more than ${passwordLength.max} characters`;
  const lower = password.toLowerCase();
  if (new Set(lower).size < 5) return 'repeats too few characters';
  const weak = [...forbidden, ...words.map((word) => word.toLowerCase()).filter((word) => word.length >= 4)];
  // What is left beside a known word must carry the password.
  const rest = weak.reduce((text, word) => text.replaceAll(word, ''), lower);
  return rest.length < passwordLength.min - 4 ? 'is made of words that are guessed first' : undefined;
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');

/** A hash in the PHC string format. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(saltLength);
  const tag = await derive('argon2id', { message: password.normalize('NFC'), nonce, tagLength, ...current });
  return `$argon2id$v=19$m=${current.memory},t=${current.passes},p=${current.parallelism}$${encode(nonce)}$${encode(tag)}`;
}

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** A hash that no password has: checking against it takes as long as against a real one. */
const nobody = `$argon2id$v=19$m=${current.memory},t=${current.passes},p=${current.parallelism}$${encode(new Uint8Array(saltLength))}$${encode(new Uint8Array(tagLength))}`;

/** Whether the password belongs to the hash. Without a hash the same work is done and the answer is no. */
export async function isPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] = phc.exec(stored ?? nobody) ?? [];
  const wanted = Buffer.from(tag, 'base64');
  const options = {
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  };
  const given = await derive('argon2id', {
    message: password.slice(0, passwordLength.max).normalize('NFC'),
    tagLength: wanted.length,
    ...options,
  });
  return timingSafeEqual(given, wanted) && typeof stored === 'string';
}
