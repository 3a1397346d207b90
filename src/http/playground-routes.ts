import { createRequire } from 'node:module';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Altair as it comes from its package, served from here: it works without the internet. */
export async function playgroundRoutes(server: FastifyInstance): Promise<void> {
  const root = path.join(
    path.dirname(createRequire(import.meta.url).resolve('altair-static/package.json')),
    'build/dist',
  );
  await server.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      // The application loads its own scripts and styles, and talks to this server only.
      void reply.header(
        'content-security-policy',
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'",
      );
    });
    await scope.register(fastifyStatic, { root, prefix: '/playground/', redirect: true, decorateReply: false });
    scope.get('/playground', (_request, reply) => reply.redirect('/playground/'));
  });
}
