import {
  type ExecutionArgs,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { GraphqlContext } from '../context.ts';
import { limitRule, queryLimits, validationLimits } from '../limits.ts';

type Asked = {
  readonly query?: unknown;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  readonly operationName?: string | null | undefined;
};

const refused = (message: string) => ({
  errors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })],
});

/** What to run for a subscription, under the limits of every query; nothing but subscriptions is run here. */
export function prepareSubscription(
  schema: GraphQLSchema,
  { query, variables, operationName }: Asked,
  contextValue: GraphqlContext,
  refuseUnlisted: (text: string) => void,
): ExecutionArgs | { readonly errors: readonly GraphQLError[] } {
  if (typeof query !== 'string') return refused('Send the subscription as `query`.');
  try {
    const document = parse(query, { maxTokens: queryLimits.tokens });
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION)
      return refused('Only subscriptions are served here. Send queries and mutations to /public/graphql.');
    const errors = validate(schema, document, [...specifiedRules, limitRule], validationLimits);
    if (errors.length > 0) return { errors };
    refuseUnlisted(query);
    return {
      schema,
      document,
      contextValue,
      variableValues: variables ?? {},
      ...(operationName ? { operationName } : {}),
    };
  } catch (error) {
    return { errors: [error instanceof GraphQLError ? error : new GraphQLError('The query could not be read.')] };
  }
}
