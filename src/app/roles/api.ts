import { readFile, rm } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { createOriginPolicy, type SessionService, type TokenService } from '#identity';
import { createPersistedQueries, readManifest, registerGraphql } from '#graphql';
import {
  answerPreflights,
  authRoutes,
  createGate,
  createHttpServer,
  healthRoutes,
  ingestRoutes,
  metricsRoutes,
  originOf,
  playgroundRoutes,
  type ReadinessCheck,
  referenceRoutes,
  restRoutes,
  sessionOf,
  uploadRoutes,
} from '#http';
import {
  createHttpReceiver,
  createIntake,
  defaultBodyLimits,
  defaultIntakeLimits,
  type IntakeLimits,
} from '#ingestion';
import { createMetrics } from '#platform/metrics';
import { createRateLimiter, sharedCounts } from '#platform/rate-limit';
import { firstAdminFile, firstTokenFile } from '../first-start/first-start.ts';
import { createServices, openSandbox, type Platform } from '../parts.ts';
import { describeKeys } from '../keys/key-state.ts';
import { processGauges } from '../process-gauges.ts';
import { storedGauges } from '../stored-gauges.ts';
import { productVersion, type Runtime, type Started } from '../runtime.ts';

type Duties = { readonly servesApi: boolean; readonly takesLogs: boolean };

async function tlsOf({ settings }: Runtime) {
  const { MARGAY_TLS_CERT_FILE: certFile, MARGAY_TLS_KEY_FILE: keyFile } = settings;
  if (certFile === undefined || keyFile === undefined) return {};
  return { tls: { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') } };
}

/** The file with the first token is there to be read once: the first good request deletes it. */
function forgettingFirstToken(tokens: TokenService, dataDir: string): TokenService {
  let isForgotten = false;
  return {
    ...tokens,
    async authenticate(value, origin) {
      const actor = await tokens.authenticate(value, origin);
      if (!isForgotten) await rm(firstTokenFile(dataDir), { force: true });
      isForgotten = true;
      return actor;
    },
  };
}

/** The same for the first password, at the first sign-in. */
function forgettingFirstAdmin(sessions: SessionService, dataDir: string): SessionService {
  return {
    ...sessions,
    async signIn(credentials, origin) {
      const session = await sessions.signIn(credentials, origin);
      await rm(firstAdminFile(dataDir), { force: true });
      return session;
    },
  };
}

const mib = 1024 * 1024;

function intakeLimits({ settings }: Runtime): IntakeLimits {
  const heldBytesMax = settings.MARGAY_INTAKE_MEMORY_MIB * mib;
  return {
    ...defaultIntakeLimits,
    heldBytesMax,
    heldBytesPerTenantMax: heldBytesMax / 2,
    backlogBytesMax: settings.MARGAY_BACKLOG_TENANT_MIB * mib,
    backlogSecondsMax: settings.MARGAY_BACKLOG_TENANT_MINUTES * 60,
    backlogBytesTotalMax: settings.MARGAY_BACKLOG_TOTAL_MIB * mib,
  };
}

/** Signing in, GraphQL, REST and the playground, within limits of requests. */
async function serveApi(
  server: FastifyInstance,
  runtime: Runtime,
  platform: Platform,
  sandbox: Awaited<ReturnType<typeof openSandbox>>,
): Promise<{ close(): Promise<void> }> {
  const { clock, database, log } = platform;
  const limiter = createRateLimiter({
    clock,
    shared: sharedCounts(database),
    onError: (error) => log.warn('request_counts_not_shared', { error }),
  });
  const origins = createOriginPolicy({ database, clock });
  answerPreflights(server, origins);
  const limits = {
    requestsPerMinute: runtime.settings.MARGAY_REQUESTS_PER_MINUTE,
    refusalsPerMinute: runtime.settings.MARGAY_REFUSALS_PER_MINUTE,
  };
  const gate = createGate(limiter, limits, origins);
  const { recorder, sessions, tokenMemory, ...services } = createServices(platform, runtime, sandbox);
  const isSecure = runtime.settings.MARGAY_BEHIND_TLS_PROXY || runtime.settings.MARGAY_TLS_CERT_FILE !== undefined;
  await authRoutes(server, { sessions: forgettingFirstAdmin(sessions, runtime.dataDir), gate, isSecure });
  const tokens = forgettingFirstToken(services.tokens, runtime.dataDir);
  await registerGraphql(server, {
    services: { ...services, tokens },
    audit: recorder,
    log,
    originOf,
    sessionOf,
    admit: gate.admit,
    persisted: createPersistedQueries(
      readManifest(runtime.settings.MARGAY_GRAPHQL_MANIFEST),
      runtime.settings.MARGAY_GRAPHQL_LISTED_ONLY,
    ),
    authenticateSession: (value, origin) => sessions.authenticate(value, origin),
  });
  await restRoutes(server, {
    services: { ...services, tokens },
    audit: recorder,
    log,
    version: productVersion,
    gate,
  });
  await uploadRoutes(server, { sessions: services.uploadSessions, gate });
  await playgroundRoutes(server);
  await referenceRoutes(server);
  const forgetTokens = await tokenMemory.follow(database);
  return {
    async close() {
      limiter.close();
      await forgetTokens();
    },
  };
}

/** The HTTP server: the API, the ingest endpoint, or both. */
export async function startApi(runtime: Runtime, platform: Platform, duties: Duties): Promise<Started> {
  const { database, log, clock, ids, objects, secrets } = platform;
  const server = createHttpServer({
    log,
    isBehindProxy: runtime.settings.MARGAY_BEHIND_TLS_PROXY,
    ...(await tlsOf(runtime)),
  });
  const sandbox = await openSandbox(runtime);
  const checks: ReadinessCheck[] = [
    { name: 'postgres', check: () => database.ping().then(() => 'answers') },
    {
      name: 'lake',
      check: async () => ((await platform.lakeClient.ping()) ? 'answers' : Promise.reject(new Error('no answer'))),
    },
    { name: 'keys', check: () => describeKeys(database, platform.masterKeys) },
    {
      name: 'objects',
      check: () => objects.list('tenants/', { limit: 1 }).then(() => 'answers'),
    },
    {
      name: 'sandbox',
      check: async () =>
        `${sandbox.walls.kind}${sandbox.walls.hasSeccomp ? ' with a system call filter' : ''}, ${sandbox.walls.isolatesTenants ? 'keeps tenants apart' : 'single tenant only'}: ${sandbox.walls.reasons.join(' ')}`,
    },
  ];
  await healthRoutes(server, { checks });
  await metricsRoutes(server, {
    metrics: createMetrics([...storedGauges(database), ...processGauges(database, sandbox.pool)]),
    token: runtime.settings.MARGAY_METRICS_TOKEN,
  });
  const intake = createIntake({ database, objects, clock, ids, log, limits: intakeLimits(runtime) });
  if (duties.takesLogs)
    await ingestRoutes(server, {
      receiver: createHttpReceiver({ database, secrets, intake, limits: defaultBodyLimits }),
    });
  const api = duties.servesApi ? await serveApi(server, runtime, platform, sandbox) : undefined;
  await server.listen({ host: runtime.settings.MARGAY_HOST, port: runtime.port });
  return {
    async stop() {
      await api?.close();
      await server.close();
      await intake.close();
      await sandbox.pool.close();
    },
  };
}
