import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpReceiver } from '#ingestion';
import { readBody } from './body.ts';
import { originOf } from './server.ts';

const bodyBytesMax = 10 * 1024 * 1024;
/** `POST /http/<sourceId>`: raw logs of a sender. 202 means that they are on disk. */
export async function ingestRoutes(
  server: FastifyInstance,
  { receiver }: { readonly receiver: HttpReceiver },
): Promise<void> {
  await server.register(async (scope) => {
    // Whatever the content type says, the body is kept as it came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request: FastifyRequest, payload: Readable) =>
      readBody(payload, bodyBytesMax, 'The body has more than 10 MiB. Send it in smaller parts.'),
    );
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
