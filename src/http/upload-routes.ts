import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { UploadSessionService } from '#detections';
import { badInput } from '#platform/errors';
import { readBody } from './body.ts';
import type { Gate } from './request-limits.ts';
import { originOf } from './server.ts';

type Deps = { readonly sessions: Pick<UploadSessionService, 'open' | 'put'>; readonly gate: Gate };

const query = z.object({ signature: z.string().min(1).max(2000) });
const place = z.object({ tenantId: z.uuid(), sessionId: z.uuid() });

/** `PUT /uploads/<tenant>/<session>?signature=…`: the address is the credential; there is no other. */
export async function uploadRoutes(server: FastifyInstance, { sessions, gate }: Deps): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The address is checked first, so nothing is read of a body that nobody asked for.
    scope.addContentTypeParser('*', (_request: FastifyRequest, payload: Readable, done) => done(null, payload));
    scope.put('/uploads/:tenantId/:sessionId', async (request, reply) => {
      const payload = request.raw;
      const [signed, at] = [query.safeParse(request.query), place.safeParse(request.params)];
      try {
        if (!signed.success || !at.success) throw badInput('signature', 'This is not an upload address.');
        const grant = await gate.attempt(request, () => sessions.open({ ...at.data, ...signed.data }));
        const tooLarge = `The body has more than ${grant.bytesMax} bytes: send an archive of at most 10 MiB.`;
        await sessions.put(grant, originOf(request), () => readBody(payload, grant.bytesMax, tooLarge));
      } catch (error) {
        payload.resume();
        throw error;
      }
      return reply.code(200).send();
    });
  });
}
