import type { GatewayExecutor, GatewayInterface } from '@apollo/server-gateway-interface';
import { execute, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';

/** Compiled queries kept per process; the one unused for longest goes first. */
const compiledMax = 500;

type Fields = Record<string, unknown>;
type Compiled = ReturnType<typeof compileQuery<Fields, Fields>>;

/**
 * The compiler's errors lack `extensions`, which Apollo reads: each becomes an ordinary error with the same cause. A
 * result without `data` was not begun, since the variables do not fit the query.
 */
function complete(result: ExecutionResult<Fields>): ExecutionResult<Fields> {
  if (result.errors === undefined) return result;
  const usual = result.data === undefined ? { code: 'BAD_USER_INPUT' } : {};
  const errors = result.errors.map(({ message, path, locations: _locations, originalError, extensions }) => {
    const own = originalError instanceof GraphQLError ? originalError.extensions : (extensions ?? {});
    return new GraphQLError(message, {
      path: path ?? null,
      originalError: originalError ?? null,
      extensions: { ...usual, ...own },
    });
  });
  return { ...result, errors };
}

/**
 * Runs queries through graphql-jit. It is an executor and not a plugin: errors then pass the formatter like any other.
 * A query that the compiler does not take is run by the ordinary executor.
 */
export function createExecutor(schema: GraphQLSchema): {
  readonly executor: GatewayExecutor;
  readonly size: () => number;
} {
  const compiled = new Map<string, Compiled>();
  const find = (key: string, make: () => Compiled): Compiled => {
    const known = compiled.get(key) ?? make();
    compiled.delete(key);
    compiled.set(key, known);
    const oldest = compiled.size > compiledMax ? compiled.keys().next().value : undefined;
    if (oldest !== undefined) compiled.delete(oldest);
    return known;
  };
  const executor: GatewayExecutor = async ({ document, operationName, queryHash, request, context }) => {
    const name = operationName ?? undefined;
    const query = find(`${queryHash}/${name ?? ''}`, () => compileQuery<Fields, Fields>(schema, document, name));
    const variables = request.variables ?? {};
    if (isCompiledQuery(query)) return complete(await query.query({}, context, variables));
    return execute({ schema, document, contextValue: context, variableValues: variables, operationName: name ?? null });
  };
  return { executor, size: () => compiled.size };
}

/** The form in which Apollo takes an executor of one's own. */
export function asGateway(schema: GraphQLSchema, executor: GatewayExecutor): GatewayInterface {
  return {
    load: async () => ({ executor }),
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    stop: async () => undefined,
  };
}
