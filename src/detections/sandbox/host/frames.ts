/**
 * Frames on standard input and output. In: header length and body length (unsigned 32 bit, little endian), header
 * (JSON), body. Out: kind (one byte), length (unsigned 32 bit, little endian), body.
 */
import { readSync, writeSync } from 'node:fs';

/** Kinds of frames to the parent. */
export const frameKinds = { answer: 1, progress: 2, ready: 3, question: 4 } as const;

/** What the parent asks; the rest of the header belongs to the guest. */
export type Request = { readonly kind: string; readonly header: Buffer; readonly body: Buffer };

const isBusy = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EAGAIN';

function readExactly(length: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    let count = 0;
    try {
      count = readSync(0, buffer, filled, length - filled, null);
    } catch (error) {
      if (isBusy(error)) continue;
      throw error;
    }
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer;
}

/** Waits for the next request; undefined when the parent has closed the channel. */
export function readRequest(): Request | undefined {
  const lengths = readExactly(8);
  if (lengths === undefined) return undefined;
  const header = readExactly(lengths.readUInt32LE(0));
  const body = readExactly(lengths.readUInt32LE(4));
  if (header === undefined || body === undefined) return undefined;
  return { kind: String(JSON.parse(header.toString('utf8')).kind), header, body };
}

function writeAll(bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length;) {
    try {
      sent += writeSync(1, bytes, sent);
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }
}

/** Larger ones are not copied to stand behind their heads. */
const joinedBytesMax = 65_536;

/** Writes one frame and returns when the parent's pipe has taken it. */
export function writeFrame(kind: number, body: Uint8Array): void {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32LE(body.length, 1);
  if (body.length <= joinedBytesMax) return writeAll(Buffer.concat([head, body]));
  writeAll(head);
  return writeAll(body);
}
