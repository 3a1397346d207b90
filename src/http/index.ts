export { authRoutes, sessionOf } from './auth-routes.ts';
export { healthRoutes, type ReadinessCheck } from './health-routes.ts';
export { ingestRoutes } from './ingest-routes.ts';
export { metricsRoutes } from './metrics-routes.ts';
export { playgroundRoutes } from './playground-routes.ts';
export { createHttpServer, originOf } from './server.ts';
