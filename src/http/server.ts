import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { RequestOrigin } from '#access';
import { DomainError, type ErrorCode } from '#platform/errors';
import type { Log } from '#platform/log';

const statuses: Readonly<Record<ErrorCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  bad_input: 400,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  unavailable: 503,
  not_available: 501,
  internal: 500,
};

/** The status that tells a failure of this code. */
export const statusOf = (code: ErrorCode): number => statuses[code];

/** Trace id of a W3C `traceparent` header, or a new one when there is none that is valid. */
function traceIdOf(header: string | readonly string[] | undefined): string {
  const match = typeof header === 'string' ? /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(header) : null;
  const given = match?.[1];
  return given !== undefined && given !== '0'.repeat(32) ? given : randomBytes(16).toString('hex');
}

const traceIds = new WeakMap<FastifyRequest, string>();

/** Where a request came from; the trace id is the same for the whole request. */
export function originOf(request: FastifyRequest): RequestOrigin {
  const traceId = traceIds.get(request) ?? traceIdOf(request.headers['traceparent']);
  traceIds.set(request, traceId);
  const userAgent = request.headers['user-agent'];
  return { ipAddress: request.ip, traceId, ...(userAgent === undefined ? {} : { userAgent }) };
}

/** Answers an error as JSON; what is not ours is logged and masked. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const { traceId } = originOf(request);
  if (error instanceof DomainError && error.code !== 'internal') {
    if (error.retryAfterSeconds !== undefined) void reply.header('retry-after', String(error.retryAfterSeconds));
    return reply
      .code(statuses[error.code])
      .send({ error: { code: error.code, message: error.publicMessage, field: error.field }, traceId });
  }
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 413)
    return reply.code(413).send({
      error: { code: 'too_large', message: 'The body has more than 10 MiB. Send it in smaller parts.' },
      traceId,
    });
  if (status >= 400 && status < 500)
    return reply
      .code(status)
      .send({ error: { code: 'bad_input', message: 'The request could not be read.' }, traceId });
  log.error('request_failed', { error, traceId, url: request.url.split('?')[0] });
  return reply.code(500).send({ error: { code: 'internal', message: 'Something went wrong on our side.' }, traceId });
}

export type HttpOptions = {
  readonly log: Log;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly isBehindProxy: boolean;
};

/** The server that all doors share: headers, trace ids, errors and limits; routes are mounted by the composition root. */
export function createHttpServer({ log, tls, isBehindProxy }: HttpOptions): FastifyInstance {
  const server = Fastify({
    bodyLimit: 10 * 1024 * 1024,
    trustProxy: isBehindProxy,
    forceCloseConnections: true,
    requestTimeout: 120_000,
    connectionTimeout: 0,
    routerOptions: { ignoreDuplicateSlashes: true, maxParamLength: 200 },
    ...(tls ? { https: tls } : {}),
  }) as unknown as FastifyInstance;
  server.addHook('onRequest', async (request, reply) => {
    const { traceId } = originOf(request);
    void reply.headers({
      'x-trace-id': traceId,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      ...(tls || isBehindProxy ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    });
  });
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply, log));
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      message: 'There is nothing at this address.',
      error: { code: 'not_found', message: 'There is nothing at this address.' },
      traceId: originOf(request).traceId,
    }),
  );
  return server;
}
