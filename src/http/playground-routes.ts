import fastifyStatic from '@fastify/static';
import { getDistDirectory, renderAltair } from 'altair-static';
import type { FastifyInstance } from 'fastify';

/** The application loads its own scripts and styles, and talks to this server only. */
const contentPolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Altair as it comes from its package, served from here: it works without the internet. */
export async function playgroundRoutes(server: FastifyInstance): Promise<void> {
  const page = renderAltair({
    baseURL: '/playground/',
    disableAccount: true,
    endpointURL: '/public/graphql',
    initialHeaders: { 'X-API-Key': '' },
    initialQuery: '# Put an API token into the header X-API-Key (Headers on the left).\n{\n  isSignedIn\n}\n',
    initialSettings: {
      theme: 'light',
      enableExperimental: false,
      'alert.disableUpdateNotification': true,
      disableLineNumbers: false,
    },
  });
  await server.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => void reply.header('content-security-policy', contentPolicy));
    scope.get('/playground', (_request, reply) => reply.redirect('/playground/'));
    scope.get('/playground/', (_request, reply) => reply.type('text/html').send(page));
    await scope.register(fastifyStatic, {
      root: getDistDirectory(),
      prefix: '/playground/',
      index: false,
      decorateReply: false,
    });
  });
}
