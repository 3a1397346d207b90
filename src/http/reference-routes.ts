import reference from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';

/** The page loads its one script from here and talks to this server only. */
const contentPolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** The REST API to browse and try at `/reference/`, from its own document; it works without the internet. */
export async function referenceRoutes(server: FastifyInstance): Promise<void> {
  await server.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => void reply.header('content-security-policy', contentPolicy));
    await scope.register(reference, {
      routePrefix: '/reference',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Margay REST API',
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        // Services of the page's makers: they need the internet and have no place here.
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
        persistAuth: false,
      },
    });
  });
}
