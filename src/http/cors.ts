import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OriginPolicy } from '#identity';

const originOfPage = (request: FastifyRequest): string | undefined => {
  const { origin, host } = request.headers;
  if (origin === undefined || !URL.canParse(origin)) return undefined;
  return new URL(origin).host === host ? undefined : origin;
};

/** Lets the page of an origin read the answer, if the tenant that was asked allows it. Cookies are never allowed along. */
export async function shareWithPage(
  policy: OriginPolicy,
  request: FastifyRequest,
  reply: FastifyReply,
  tenantId: string,
): Promise<void> {
  const origin = originOfPage(request);
  if (origin === undefined) return;
  void reply.header('vary', 'Origin');
  if (await policy.isAllowed(tenantId, origin))
    void reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'X-Trace-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
    });
}

/** Answers what browsers ask before they send a request from another page. */
export function answerPreflights(server: FastifyInstance, policy: OriginPolicy): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return;
    const origin = originOfPage(request);
    const isKnown = origin !== undefined && (await policy.isKnown(origin));
    void reply.header('vary', 'Origin');
    if (isKnown)
      void reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'X-API-Key, Content-Type, traceparent',
        'access-control-max-age': '600',
      });
    await reply.code(204).send();
  });
}
