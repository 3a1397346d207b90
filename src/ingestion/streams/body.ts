import { createGunzip, createInflate, createZstdDecompress, type Gunzip } from 'node:zlib';
import { once } from 'node:events';
import { DomainError } from '#platform/errors';

export type BodyLimits = { readonly wireBytesMax: number; readonly decodedBytesMax: number; readonly ratioMax: number };

/** Limits of one request; the ratio counts above 1 MiB only, since small bodies of repetitive logs compress far better. */
export const defaultBodyLimits: BodyLimits = {
  wireBytesMax: 10 * 1024 * 1024,
  decodedBytesMax: 100 * 1024 * 1024,
  ratioMax: 100,
};

const ratioGraceBytes = 1024 * 1024;

type Coding = 'identity' | 'gzip' | 'deflate' | 'zstd';

const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

const damaged = (coding: Coding): DomainError =>
  new DomainError('bad_input', {
    field: 'body',
    publicMessage: `The body is not whole ${coding} data: it is cut off or damaged. Send it again.`,
  });

const tooLarge = (publicMessage: string): DomainError => new DomainError('too_large', { publicMessage });

/** Recognised by content (RFC 1952, RFC 8878); `deflate` has no mark of its own and is taken from Content-Encoding. */
function codingOf(body: Uint8Array, contentEncoding: string | undefined): Coding {
  if (body[0] === 0x1f && body[1] === 0x8b) return 'gzip';
  if (body[0] === 0x28 && body[1] === 0xb5 && body[2] === 0x2f && body[3] === 0xfd) return 'zstd';
  const named = contentEncoding?.trim().toLowerCase() ?? '';
  if (named === 'deflate') return 'deflate';
  if (named === 'gzip' || named === 'zstd') throw damaged(named);
  if (named === '' || named === 'identity') return 'identity';
  throw new DomainError('bad_input', {
    field: 'Content-Encoding',
    publicMessage: `Content-Encoding "${named.slice(0, 50)}" is not known here: use gzip, deflate or zstd.`,
  });
}

/** Each piece of output is a trip through the event loop: the default of 16 KiB costs more than the unpacking itself. */
const outputChunkBytes = 256 * 1024;

function decompressor(coding: Exclude<Coding, 'identity'>): Gunzip {
  const options = { chunkSize: outputChunkBytes };
  if (coding === 'gzip') return createGunzip(options);
  return coding === 'deflate' ? createInflate(options) : createZstdDecompress(options);
}

async function inflate(coding: Exclude<Coding, 'identity'>, body: Uint8Array, limits: BodyLimits, keep: boolean) {
  const stream = decompressor(coding);
  const chunks: Buffer[] = [];
  let size = 0;
  let refusal: DomainError | undefined;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.decodedBytesMax)
      refusal = tooLarge(`The body unpacks to more than ${mib(limits.decodedBytesMax)}. Send it in smaller parts.`);
    else if (size > ratioGraceBytes && size > body.length * limits.ratioMax)
      refusal = tooLarge(`The body unpacks to more than ${limits.ratioMax} times its size. Send it in another form.`);
    if (refusal !== undefined) stream.destroy(refusal);
    else if (keep) chunks.push(chunk);
  });
  try {
    const ended = once(stream, 'end');
    stream.end(body);
    await ended;
  } catch (error) {
    throw refusal ?? (error instanceof DomainError ? error : damaged(coding));
  }
  return { chunks, size };
}

/** What a request may carry, found out without holding the unpacked body. Throws DomainError `too_large` or `bad_input`. */
export async function inspectBody(
  body: Uint8Array,
  contentEncoding: string | undefined,
  limits: BodyLimits,
): Promise<{ readonly decodedBytes: number }> {
  if (body.length === 0)
    throw new DomainError('bad_input', { field: 'body', publicMessage: 'The body is empty. Send one event or more.' });
  if (body.length > limits.wireBytesMax)
    throw tooLarge(`The body has more than ${mib(limits.wireBytesMax)}. Send it in smaller parts.`);
  const coding = codingOf(body, contentEncoding);
  if (coding === 'identity') return { decodedBytes: body.length };
  const { size } = await inflate(coding, body, limits, false);
  return { decodedBytes: size };
}

/** The unpacked body. Same limits and errors as `inspectBody`. */
export async function decodeBody(
  body: Buffer,
  contentEncoding: string | undefined,
  limits: BodyLimits,
): Promise<Buffer> {
  const coding = codingOf(body, contentEncoding);
  if (coding === 'identity') return body;
  const { chunks } = await inflate(coding, body, limits, true);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
