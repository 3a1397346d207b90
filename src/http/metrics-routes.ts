import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '#platform/errors';
import type { Metrics } from '#platform/metrics';

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');

/** With a token only its bearer may read, else only this machine. */
function refuseOthers(request: FastifyRequest, token: string | undefined): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const isAllowed = token === undefined ? isLoopback(request.ip) : timingSafeEqual(digest(given), digest(token));
  if (!isAllowed)
    throw new DomainError('unauthenticated', {
      publicMessage: 'Metrics need the bearer token of MARGAY_METRICS_TOKEN.',
    });
}

/** `/metrics`: Prometheus' text form, tenants by id. */
export async function metricsRoutes(
  server: FastifyInstance,
  { metrics, token }: { readonly metrics: Metrics; readonly token: string | undefined },
): Promise<void> {
  server.get('/metrics', async (request, reply) => {
    refuseOthers(request, token);
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}
