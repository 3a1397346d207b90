import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/fastify';
import { makeHandler } from 'graphql-ws/use/@fastify/websocket';
import type { Actor } from '#access';
import { createContext, type GraphqlContext, type Services } from '../context.ts';
import { prepareSubscription } from './prepare.ts';

type Deps = {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly format: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
  /** Throws when this deployment runs only listed operations and the text is none of them. */
  readonly refuseUnlisted: (text: string) => void;
  /** Who asks, by a header of the request or by what the first message carries. */
  readonly find: (request: FastifyRequest, reply: FastifyReply | undefined, key: string | undefined) => Promise<Actor>;
};

/** Subscriptions of one token or user at the same time. */
const atOnceMax = 20;

function createCounter() {
  const running = new Map<string, number>();
  return {
    /** Returns how to give the place back; throws when there is none. */
    take({ actor }: GraphqlContext): () => void {
      const key = `${actor.tenantId}:${actor.kind}:${actor.id}`;
      const count = (running.get(key) ?? 0) + 1;
      if (count > atOnceMax)
        throw new GraphQLError(`More than ${atOnceMax} subscriptions at the same time.`, {
          extensions: { code: 'RATE_LIMITED', http: { status: 429 } },
        });
      running.set(key, count);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        running.set(key, (running.get(key) ?? 1) - 1);
      };
    },
  };
}

/** Failures on the way are masked like those of queries; the rest of a result stays as it is. */
function masked<Result extends object>({ format }: Deps, result: Result): Result {
  if (!('errors' in result) || !Array.isArray(result.errors)) return result;
  const errors = result.errors.map((error: unknown) => {
    const {
      message,
      extensions = {},
      path,
    } = format(error instanceof GraphQLError ? error.toJSON() : { message: '' }, error);
    return new GraphQLError(message, { extensions, path: path ?? null });
  });
  return { ...result, errors };
}

function serveEvents(server: FastifyInstance, path: string, deps: Deps, counter: ReturnType<typeof createCounter>) {
  const contexts = new WeakMap<FastifyRequest, GraphqlContext>();
  const handler = createHandler<GraphqlContext>({
    schema: deps.schema,
    authenticate: () => null,
    onSubscribe(request, params) {
      const context = contexts.get(request.raw);
      if (context === undefined) throw new Error('A stream without a context.');
      const prepared = prepareSubscription(deps.schema, params, context, deps.refuseUnlisted);
      // The library takes an answer for one only when it has data.
      return 'errors' in prepared ? { data: null, ...masked(deps, prepared) } : { ...prepared, contextValue: context };
    },
    onNext: (_context, _request, result) => masked(deps, result),
  });
  server.post(path, async (request, reply) => {
    try {
      const actor = await deps.find(request, reply, undefined);
      const recheck = async () => void (await deps.find(request, undefined, undefined));
      const context = createContext(actor, deps.services, { recheck });
      reply.raw.once('close', counter.take(context));
      contexts.set(request, context);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const { http, ...extensions } = error.extensions as { readonly http?: { readonly status?: number } };
      return reply.code(http?.status ?? 401).send({ errors: [{ message: error.message, extensions }] });
    }
    await handler(request, reply);
    return reply;
  });
}

type Connected = { context?: GraphqlContext };

/** Signs a socket in, by its first message or by the request that opened it. */
async function connect(
  deps: Deps,
  extra: Connected & { readonly request: FastifyRequest },
  parameters: Readonly<Record<string, unknown>> | undefined,
): Promise<boolean> {
  const given = parameters?.['X-API-Key'] ?? parameters?.['x-api-key'];
  const key = typeof given === 'string' ? given : undefined;
  const { origin, host } = extra.request.headers;
  const isForeign = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  // A page of another site has no token of ours, but it may have the cookie.
  if (isForeign && key === undefined) return false;
  try {
    const actor = await deps.find(extra.request, undefined, key);
    const recheck = async () => void (await deps.find(extra.request, undefined, key));
    extra.context = createContext(actor, deps.services, { recheck });
    return true;
  } catch {
    return false;
  }
}

function serveSockets(server: FastifyInstance, path: string, deps: Deps, counter: ReturnType<typeof createCounter>) {
  const releases = new Map<string, () => void>();
  const contextOf = (extra: object): Connected => extra;
  const handler = makeHandler<Record<string, unknown>>({
    connectionInitWaitTimeout: 10_000,
    onConnect: ({ connectionParams, extra }) => connect(deps, extra, connectionParams),
    onSubscribe(ctx, id, payload) {
      const { context } = contextOf(ctx.extra);
      if (context === undefined) return [new GraphQLError('Sign in first.')];
      const prepared = prepareSubscription(deps.schema, payload, context, deps.refuseUnlisted);
      if ('errors' in prepared) return masked(deps, prepared).errors ?? [];
      try {
        releases.set(id, counter.take(context));
      } catch (error) {
        return error instanceof GraphQLError ? [error] : [];
      }
      return prepared;
    },
    onNext: (_ctx, _id, _payload, _args, { data, errors }) => ({
      ...(data === undefined ? {} : { data }),
      ...(errors ? { errors: masked(deps, { errors }).errors.map((error) => error.toJSON()) } : {}),
    }),
    onComplete(_ctx, id) {
      releases.get(id)?.();
      releases.delete(id);
    },
  });
  server.get(path, { websocket: true }, handler);
}

/** Subscriptions beside a GraphQL endpoint: `<path>/stream` as server-sent events, `<path>/ws` as graphql-transport-ws. */
export async function registerLive(server: FastifyInstance, path: string, deps: Deps): Promise<void> {
  const counter = createCounter();
  await server.register(async (scope) => {
    await scope.register(websocket, { options: { maxPayload: 64 * 1024 } });
    serveEvents(scope, `${path}/stream`, deps, counter);
    serveSockets(scope, `${path}/ws`, deps, counter);
  });
}
