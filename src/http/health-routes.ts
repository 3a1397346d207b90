import type { FastifyInstance } from 'fastify';
import { DomainError } from '#platform/errors';

/** A named part that must work; resolves with a note, or rejects with the reason. */
export type ReadinessCheck = { readonly name: string; readonly check: () => Promise<string> };

/** `/healthz`: the process runs. `/readyz`: every part it needs answers; 503 names those that do not. */
export async function healthRoutes(
  server: FastifyInstance,
  { checks }: { readonly checks: readonly ReadinessCheck[] },
): Promise<void> {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      checks.map(async ({ name, check }) => {
        try {
          return { name, isReady: true, note: await check() };
        } catch (error) {
          // Other errors are drivers' words, which are not for everybody.
          const note = error instanceof DomainError ? error.publicMessage : 'does not answer';
          return { name, isReady: false, note };
        }
      }),
    );
    const isReady = results.every((result) => result.isReady);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', checks: results });
  });
}
