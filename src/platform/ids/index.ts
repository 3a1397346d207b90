import { hash, randomBytes } from 'node:crypto';

/** Source of identifiers, handed in so that tests are exact. */
export type Ids = {
  /** UUID version 7 (RFC 9562 section 5.7): ordered by creation time, so indexes stay compact. */
  uuid(): string;
  /** Unguessable URL-safe text of `bytes` random bytes. */
  secret(bytes: number): string;
};

function uuidV7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const systemIds: Ids = {
  uuid: () => uuidV7(Date.now()),
  secret: (bytes) => randomBytes(bytes).toString('base64url'),
};

/** Deterministic identifier: the first 32 hex digits of SHA-256 over the parts, separated so that they cannot run together. */
export function hashId(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hash('sha256', text, 'hex').slice(0, 32);
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}
