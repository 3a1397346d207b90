import type { GatewayExecutor } from '@apollo/server-gateway-interface';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { GraphqlContext } from './context.ts';
import { createFairQueue } from './fair-queue.ts';
import { createQueryCost } from './query-cost.ts';

/** Fields of an answer, as `query-cost.ts` counts them. */
const costLimits = {
  /** From here on a query waits for its turn. */
  costly: 2000,
  /** Beyond this none is run. */
  max: 50_000,
} as const;

/** Costly queries that a process runs at once; of one tenant it runs one. */
const atOnceMax = 2;

const refused = (cost: number) => ({
  errors: [
    new GraphQLError(
      `The query asks for about ${cost} fields, more than ${costLimits.max}. Ask for smaller pages or fewer fields.`,
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ),
  ],
});

/**
 * Small queries run at once. Large ones take turns, tenant by tenant, so that whoever asks for much waits for their own
 * queries and others do not; what is beyond all bounds is refused.
 */
export function inTurns(schema: GraphQLSchema, executor: GatewayExecutor): GatewayExecutor {
  const costOf = createQueryCost(schema);
  const queue = createFairQueue(atOnceMax);
  return async (request) => {
    const cost = costOf(request.document, request.operationName ?? undefined, request.request.variables ?? {});
    if (cost < costLimits.costly) return executor(request);
    if (cost > costLimits.max) return refused(cost);
    const { actor } = request.context as unknown as GraphqlContext;
    return queue.run(actor.tenantId, async () => executor(request));
  };
}
