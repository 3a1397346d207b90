import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Actor, parseInput, refuseUnstorable, requirePermission } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { Log } from '#platform/log';
import { originOf, statusOf } from '../server.ts';
import type { Gate } from '../request-limits.ts';
import { acceptForms } from './forms.ts';
import { openApiDocument } from './openapi.ts';
import { readQuery } from './query.ts';
import type { RestRoute, RestServices } from './route.ts';
import { routes } from './routes.ts';

type Deps = {
  readonly services: RestServices;
  readonly audit: Pick<AuditRecorder, 'recordFailure'>;
  readonly log: Log;
  readonly version: string;
  readonly gate: Gate;
};

function callerOf({ services, gate }: Deps, request: FastifyRequest, reply: FastifyReply): Promise<Actor> {
  return gate.admit(request, reply, async () => {
    const key = request.headers['x-api-key'];
    if (typeof key === 'string' && key !== '') return services.tokens.authenticate(key, originOf(request));
    throw new DomainError('unauthenticated', { publicMessage: 'Send an API token in the X-API-Key header.' });
  });
}

/** The status of a failure, among those the route declares: what it does not know is told as a wrong request. */
function toldStatus(route: RestRoute, error: DomainError): number {
  const status = statusOf(error.code);
  const isForeign = (status === 404 || status === 409) && !route.errors.includes(status);
  return isForeign ? 400 : status;
}

/** Every failure is JSON with a message that is not empty. */
function answerFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, route, isForm }: { readonly log: Log; readonly route?: RestRoute; readonly isForm?: boolean },
) {
  if (error instanceof DomainError && error.code !== 'internal') {
    if (error.retryAfterSeconds !== undefined) void reply.header('retry-after', String(error.retryAfterSeconds));
    const status = route === undefined ? statusOf(error.code) : toldStatus(route, error);
    return reply.code(status).send({ message: error.publicMessage, ...error.answer });
  }
  const { statusCode } = z.object({ statusCode: z.number().min(400).max(499) }).safeParse(error).data ?? {};
  if (statusCode === 413) return reply.code(413).send({ message: 'The body has more than 10 MiB.' });
  if (statusCode === 415) {
    const wanted = isForm ? 'multipart/form-data' : 'application/json';
    return reply.code(415).send({ message: `Send the body as ${wanted}.` });
  }
  if (statusCode !== undefined) return reply.code(400).send({ message: 'The request could not be read as JSON.' });
  log.error('rest_failed', { error, traceId: originOf(request).traceId, route: route?.id });
  return reply
    .code(500)
    .send({ message: 'Something went wrong on our side. The trace id is in the header X-Trace-Id.' });
}

async function run(deps: Deps, route: RestRoute, request: FastifyRequest, reply: FastifyReply) {
  const { services, audit, log } = deps;
  let actor: Actor | undefined;
  try {
    actor = await callerOf(deps, request, reply);
    // A route may look something up before it calls its use case: who may not do it learns nothing on the way.
    requirePermission(actor, route.operation);
    const params = Object.fromEntries(Object.entries(z.record(z.string(), z.string()).parse(request.params)));
    refuseUnstorable({ ...params, query: request.query }, 'address');
    const query = readQuery(route.query ?? {}, request.query);
    const body = route.body === undefined ? undefined : parseInput(route.body, request.body);
    const answer = await route.handle({ params, query, body }, { actor, services });
    if (answer.file !== undefined) {
      const { name, mediaType, bytes } = answer.file;
      void reply.code(answer.status).type(mediaType).header('content-disposition', `attachment; filename="${name}"`);
      return await reply.send(Readable.from(bytes, { objectMode: false }));
    }
    void reply.code(answer.status).type('application/json');
    return answer.body === undefined ? reply.send() : reply.send(JSON.stringify(answer.body));
  } catch (error) {
    if (actor !== undefined && route.operation.kind === 'mutation')
      await audit
        .recordFailure(actor, route.operation, error)
        .catch((reason: unknown) => log.error('audit_not_written', { error: reason }));
    return answerFailure(error, request, reply, { log, route });
  }
}

/** The REST API at `/` and, the same, under `/v1`; its description at `/openapi.json`. */
export async function restRoutes(server: FastifyInstance, deps: Deps): Promise<void> {
  const document = JSON.stringify(openApiDocument(routes, deps.version));
  server.get('/openapi.json', (_request, reply) => reply.type('application/json').send(document));
  const add = (scope: FastifyInstance, areForms: boolean): void => {
    scope.setErrorHandler((error, request, reply) =>
      answerFailure(error, request, reply, { log: deps.log, isForm: areForms }),
    );
    for (const route of routes.filter(({ isForm = false }) => isForm === areForms))
      scope.route({
        method: route.method,
        url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
        handler: (request, reply) => run(deps, route, request, reply),
      });
  };
  const mount = async (scope: FastifyInstance) => {
    add(scope, false);
    await scope.register(async (forms) => {
      acceptForms(forms);
      add(forms, true);
    });
  };
  await server.register(mount);
  await server.register(mount, { prefix: '/v1' });
}
