import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Actor, RequestOrigin } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { Log } from '#platform/log';
import { createContext, type GraphqlContext, type Services } from './context.ts';
import { errorFormatter, toGraphqlError } from './errors.ts';
import { asGateway, createExecutor } from './executor.ts';
import { limitRule, queryLimits } from './limits.ts';
import { operations } from './operations.ts';
import { buildSchema } from './schema.ts';

type Deps = {
  readonly services: Services;
  readonly audit: Pick<AuditRecorder, 'recordFailure'>;
  readonly log: Log;
  /** Where the request came from, as the HTTP server sees it. */
  readonly originOf: (request: FastifyRequest) => RequestOrigin;
  /** Value of the session cookie. */
  readonly sessionOf: (request: FastifyRequest) => string | undefined;
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
        throw error;
      }
    };
  }
}

/** Finds out who asks, or answers 401 (403 for a token used from a forbidden address) as GraphQL. */
async function signedIn(work: () => Promise<Actor>): Promise<Actor> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { message, extensions } = toGraphqlError(error);
    throw new GraphQLError(message, {
      extensions: { ...extensions, http: { status: error.code === 'forbidden' ? 403 : 401 } },
    });
  }
}

const missing = (publicMessage: string) => new DomainError('unauthenticated', { publicMessage });

function byToken({ services, originOf }: Deps, request: FastifyRequest): Promise<Actor> {
  const key = request.headers['x-api-key'];
  if (typeof key !== 'string' || key === '') throw missing('Send an API token in the X-API-Key header.');
  return services.tokens.authenticate(key, originOf(request));
}

function bySession({ authenticateSession, sessionOf, originOf }: Deps, request: FastifyRequest): Promise<Actor> {
  const value = sessionOf(request);
  if (value === undefined) throw missing('Sign in first.');
  return authenticateSession(value, originOf(request));
}

/**
 * Serves GraphQL under `/public/graphql` for tokens and `/internal/graphql` for sessions. Introspection works, but only with valid credentials: the context comes first.
 */
export async function registerGraphql(server: FastifyInstance, deps: Deps): Promise<void> {
  const schema = buildSchema();
  recordFailures(schema, deps.audit, deps.log);
  const { executor } = createExecutor(schema);
  const apollo = new ApolloServer<GraphqlContext>({
    gateway: asGateway(schema, executor),
    introspection: true,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    validationRules: [limitRule],
    parseOptions: { maxTokens: queryLimits.tokens },
    formatError: errorFormatter(deps.log),
    stopOnTerminationSignals: false,
  });
  await apollo.start();
  const serve = (url: string, find: (deps: Deps, request: FastifyRequest) => Promise<Actor>) => {
    const context = async (request: FastifyRequest) =>
      createContext(await signedIn(async () => find(deps, request)), deps.services);
    server.route({ method: ['GET', 'POST'], url, handler: fastifyApolloHandler(apollo, { context }) });
  };
  serve('/public/graphql', byToken);
  serve('/internal/graphql', bySession);
}
