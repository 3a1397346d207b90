import {
  type ASTVisitor,
  type FieldNode,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

export const queryLimits = { depth: 12, aliases: 30, rootFields: 20, fields: 1000, directives: 20, tokens: 5000 };

/** What a client is told of a query that does not fit: the first few faults, and no names it did not know. */
export const validationLimits = { maxErrors: 5, hideSuggestions: true } as const;

type Count = { depth: number; fields: number; aliases: number; directives: number };

/** Counts a selection with its fragments spread out. Stops as soon as a limit is passed, so a fragment bomb stays small. */
function measure(
  context: ValidationContext,
  set: SelectionSetNode,
  depth: number,
  seen: readonly string[],
  count: Count,
): void {
  count.depth = Math.max(count.depth, depth);
  for (const selection of set.selections) {
    if (count.fields > queryLimits.fields || count.depth > queryLimits.depth) return;
    count.directives += selection.directives?.length ?? 0;
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const name = selection.name.value;
      const fragment = seen.includes(name) ? undefined : context.getFragment(name);
      if (fragment) measure(context, fragment.selectionSet, depth, [...seen, name], count);
      continue;
    }
    if (selection.kind === Kind.FIELD) {
      count.fields += 1;
      if (selection.alias) count.aliases += 1;
    }
    if (selection.selectionSet)
      measure(context, selection.selectionSet, selection.kind === Kind.FIELD ? depth + 1 : depth, seen, count);
  }
}

const isField = (selection: { readonly kind: Kind }): selection is FieldNode => selection.kind === Kind.FIELD;

/** Subscriptions have places of their own: a POST of one would never end. */
export const noSubscriptionRule: ValidationRule = (context): ASTVisitor => ({
  OperationDefinition(node) {
    if (node.operation === OperationTypeNode.SUBSCRIPTION)
      context.reportError(
        new GraphQLError('Subscriptions are served at /public/graphql/stream and /public/graphql/ws.', {
          nodes: node,
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        }),
      );
  },
});

/** Refuses queries that are too deep, too wide or repeat themselves under other names. Introspection is measured too. */
export const limitRule: ValidationRule = (context): ASTVisitor => ({
  OperationDefinition(node) {
    const count: Count = { depth: 0, fields: 0, aliases: 0, directives: node.directives?.length ?? 0 };
    measure(context, node.selectionSet, 1, [], count);
    const isIntrospection = node.selectionSet.selections.every(
      (selection) => isField(selection) && selection.name.value.startsWith('__'),
    );
    const refuse = (text: string): void =>
      context.reportError(new GraphQLError(text, { nodes: node, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }));
    if (count.depth > (isIntrospection ? queryLimits.depth + 6 : queryLimits.depth))
      refuse(`The query is nested deeper than ${queryLimits.depth} levels.`);
    if (count.fields > queryLimits.fields) refuse(`The query asks for more than ${queryLimits.fields} fields.`);
    if (count.aliases > queryLimits.aliases) refuse(`The query has more than ${queryLimits.aliases} aliases.`);
    if (count.directives > queryLimits.directives)
      refuse(`The query has more than ${queryLimits.directives} directives.`);
    if (node.selectionSet.selections.length > queryLimits.rootFields)
      refuse(`The query has more than ${queryLimits.rootFields} fields at its top.`);
  },
});
