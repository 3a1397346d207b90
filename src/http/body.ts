import type { Readable } from 'node:stream';
import { DomainError } from '#platform/errors';

/** So much of a body that is too large is read and thrown away, so that its sender gets to read the answer. */
const drainedBytesMax = 128 * 1024 * 1024;

/** The whole body. Throws DomainError `too_large` with this message when it has more bytes. */
export async function readBody(payload: Readable, bytesMax: number, tooLarge: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bytesMax) chunks.push(chunk);
    else if (size > drainedBytesMax) break;
  }
  if (size > bytesMax) throw new DomainError('too_large', { publicMessage: tooLarge });
  return Buffer.concat(chunks);
}
