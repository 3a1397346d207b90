import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Actor, RequestOrigin } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError, type ErrorCode } from '#platform/errors';
import type { Log } from '#platform/log';
import { inTurns } from './costly-queries.ts';
import { createContext, type GraphqlContext, type Services } from './context.ts';
import { errorFormatter, toGraphqlError } from './errors.ts';
import { asGateway, createExecutor } from './executor.ts';
import { limitRule, noSubscriptionRule, queryLimits, validationLimits } from './limits.ts';
import { registerLive } from './live/server.ts';
import { operations } from './operations.ts';
import type { PersistedQueries } from './persisted.ts';
import { buildSchema } from './schema.ts';
import { toldFailure } from './told-failures.ts';

type Deps = {
  readonly services: Services;
  readonly audit: Pick<AuditRecorder, 'recordFailure'>;
  readonly log: Log;
  /** Where the request came from, as the HTTP server sees it. */
  readonly originOf: (request: FastifyRequest) => RequestOrigin;
  /** Value of the session cookie. */
  readonly sessionOf: (request: FastifyRequest) => string | undefined;
  /** Lets a request in, within the limits of whoever asks. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply, find: () => Promise<Actor>) => Promise<Actor>;
  readonly persisted: PersistedQueries;
  readonly authenticateSession: (value: string, origin: RequestOrigin) => Promise<Actor>;
};

/** Each mutation that fails leaves a FAILED row, written after the rollback. */
function recordFailures(schema: GraphQLSchema, audit: Deps['audit'], log: Log): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const operation = operations.get(field.name);
    const resolve = field.resolve;
    if (operation === undefined || resolve === undefined)
      throw new Error(`The mutation ${field.name} is in no operation list.`);
    field.resolve = async (root, args, context: GraphqlContext, info) => {
      try {
        return await resolve(root, args, context, info);
      } catch (error) {
        await audit
          .recordFailure(context.actor, operation, error)
          .catch((reason: unknown) => log.error('audit_not_written', { error: reason }));
        const told = toldFailure(field.name, error);
        if (told !== undefined) return told;
        throw error;
      }
    };
  }
}

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = { forbidden: 403, rate_limited: 429, unavailable: 503 };

/** Finds out who asks, or answers 401 (403 for a token used from a forbidden address, 429 for too many) as GraphQL. */
async function signedIn(work: () => Promise<Actor>): Promise<Actor> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { message, extensions } = toGraphqlError(error);
    throw new GraphQLError(message, {
      extensions: { ...extensions, http: { status: statuses[error.code] ?? 401, ...retryAfter(error) } },
    });
  }
}

/** The header that says when to come back. */
const retryAfter = ({ retryAfterSeconds: seconds }: DomainError) =>
  seconds === undefined ? {} : { headers: new HeaderMap([['retry-after', String(seconds)]]) };

const missing = (publicMessage: string) => new DomainError('unauthenticated', { publicMessage });

function byToken({ services, originOf }: Deps, request: FastifyRequest, given?: string): Promise<Actor> {
  const key = given ?? request.headers['x-api-key'];
  if (typeof key !== 'string' || key === '') throw missing('Send an API token in the X-API-Key header.');
  return services.tokens.authenticate(key, originOf(request));
}

function bySession({ authenticateSession, sessionOf, originOf }: Deps, request: FastifyRequest): Promise<Actor> {
  const value = sessionOf(request);
  if (value === undefined) throw missing('Sign in first.');
  return authenticateSession(value, originOf(request));
}

function createApollo(schema: GraphQLSchema, deps: Deps): ApolloServer<GraphqlContext> {
  const { executor } = createExecutor(schema);
  return new ApolloServer<GraphqlContext>({
    gateway: asGateway(schema, inTurns(schema, executor)),
    introspection: true,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: { cache: deps.persisted.cache },
    // The hints of caches cost a call per field and nothing of ours may be cached.
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ...deps.persisted.plugins,
    ],
    validationRules: [limitRule, noSubscriptionRule],
    validationOptions: validationLimits,
    parseOptions: { maxTokens: queryLimits.tokens },
    formatError: errorFormatter(deps.log),
    stopOnTerminationSignals: false,
  });
}

/**
 * Serves GraphQL under `/public/graphql` for tokens and `/internal/graphql` for sessions. Introspection works, but only with valid credentials: the context comes first.
 */
export async function registerGraphql(server: FastifyInstance, deps: Deps): Promise<void> {
  const schema = buildSchema();
  recordFailures(schema, deps.audit, deps.log);
  const apollo = createApollo(schema, deps);
  await apollo.start();
  const format = errorFormatter(deps.log);
  const serve = async (url: string, find: (deps: Deps, request: FastifyRequest, given?: string) => Promise<Actor>) => {
    const context = async (request: FastifyRequest, reply: FastifyReply) => {
      const actor = await signedIn(() => deps.admit(request, reply, async () => find(deps, request)));
      return createContext(actor, deps.services);
    };
    server.route({ method: ['GET', 'POST'], url, handler: fastifyApolloHandler(apollo, { context }) });
    await registerLive(server, url, {
      schema,
      services: deps.services,
      format,
      refuseUnlisted: deps.persisted.refuseUnlisted,
      find: (request, reply, key) =>
        signedIn(async () => {
          const look = async () => find(deps, request, key);
          return reply === undefined ? look() : deps.admit(request, reply, look);
        }),
    });
  };
  await serve('/public/graphql', byToken);
  await serve('/internal/graphql', bySession);
}
