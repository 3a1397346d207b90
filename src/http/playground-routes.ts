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

const firstQuery = `# 1. Headers (the two arrows on the left): put an API token into X-API-Key.
# 2. Reload the docs (the circle of arrows beside "Docs"), then send the request.
# Without a token nothing is shown, not even the schema: its first request gets 401.
query LatestAlerts {
  alerts(input: { createdAtAfter: "2020-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z", pageSize: 10 }) {
    edges {
      node {
        createdAt
        severity
        title
        status
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

/** Altair offers a service of its makers in a bar at the foot of the page; it has no setting for that. */
const withoutOffers = '<style>app-banner-container{display:none}</style></head>';

/** Altair as it comes from its package, served from here: it works without the internet. */
export async function playgroundRoutes(server: FastifyInstance): Promise<void> {
  const page = renderAltair({
    baseURL: '/playground/',
    disableAccount: true,
    endpointURL: '/public/graphql',
    initialHeaders: { 'X-API-Key': '' },
    initialQuery: firstQuery,
    initialSettings: {
      theme: 'light',
      enableExperimental: false,
      'alert.disableUpdateNotification': true,
      disableLineNumbers: false,
    },
  }).replace('</head>', withoutOffers);
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
