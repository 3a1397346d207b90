import { refuseOwed } from '#access';
import type { GraphqlContext } from '../context.ts';
import { owedOperations } from './operations.ts';

const fieldsOf = (kind: 'query' | 'mutation') =>
  Object.fromEntries(
    owedOperations
      .filter((operation) => operation.kind === kind)
      .map((operation) => [
        operation.name,
        (_root: unknown, _args: unknown, { actor }: GraphqlContext) => refuseOwed(actor, operation),
      ]),
  );

export const owedResolvers = { Query: fieldsOf('query'), Mutation: fieldsOf('mutation') };
