import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpReceiver } from '#ingestion';
import { DomainError } from '#platform/errors';
import { originOf } from './server.ts';

const bodyBytesMax = 10 * 1024 * 1024;
/** So much of a body that is too large is read and thrown away, so that its sender gets to read the answer. */
const drainedBytesMax = 128 * 1024 * 1024;

async function readBody(payload: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bodyBytesMax) chunks.push(chunk);
    else if (size > drainedBytesMax) break;
  }
  if (size > bodyBytesMax)
    throw new DomainError('too_large', { publicMessage: 'The body has more than 10 MiB. Send it in smaller parts.' });
  return Buffer.concat(chunks);
}

/** `POST /http/<sourceId>`: raw logs of a sender. 202 means that they are on disk. */
export async function ingestRoutes(
  server: FastifyInstance,
  { receiver }: { readonly receiver: HttpReceiver },
): Promise<void> {
  await server.register(async (scope) => {
    // Whatever the content type says, the body is kept as it came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request: FastifyRequest, payload: Readable) => readBody(payload));
    scope.post<{ Params: { sourceId: string } }>('/http/:sourceId', async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const { traceId } = originOf(request);
      const { batchId, isRepetition } = await receiver.receive({
        sourceId: request.params.sourceId,
        headers: request.headers,
        body,
        traceId,
      });
      return reply.code(202).send({ batchId, traceId, isRepetition });
    });
  });
}
