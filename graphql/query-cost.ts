import {
  type ArgumentNode,
  type DocumentNode,
  getNamedType,
  getNullableType,
  getOperationAST,
  type GraphQLOutputType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/** A field: how often what it holds comes, and what that is. */
type Part = { readonly times: (variables: Variables) => number; readonly parts: readonly Part[] };

/** What a page holds when nobody says, and what a list without pages is taken for. */
const pageSizeUsual = 25;
const listSizeUsual = 10;
const pageSizeMax = 1000;
const once = (): number => 1;

const fieldsOf = (type: GraphQLOutputType) => {
  const named = getNamedType(type);
  return isObjectType(named) || isInterfaceType(named) ? named.getFields() : undefined;
};

const sizeOf = (value: unknown): number =>
  typeof value === 'number' && value > 0 ? Math.min(value, pageSizeMax) : pageSizeUsual;

/** The page size in a value: `{pageSize: 50}`, one of whose parts may be a variable. */
function pageSizeIn(node: ValueNode): (variables: Variables) => number {
  if (node.kind === Kind.VARIABLE) {
    const name = node.name.value;
    return (variables) => sizeOf((variables[name] as { readonly pageSize?: unknown } | null | undefined)?.pageSize);
  }
  const given =
    node.kind === Kind.OBJECT ? node.fields.find(({ name }) => name.value === 'pageSize')?.value : undefined;
  if (given?.kind === Kind.INT) return () => sizeOf(Number(given.value));
  if (given?.kind === Kind.VARIABLE) return (variables) => sizeOf(variables[given.name.value]);
  return () => pageSizeUsual;
}

/** Pages say how long they are; the edges of a page are its items and count once. */
function timesOf(name: string, type: GraphQLOutputType, args: readonly ArgumentNode[]) {
  if (name === 'edges') return once;
  if (isListType(getNullableType(type))) return () => listSizeUsual;
  if (fieldsOf(type)?.['edges'] === undefined) return once;
  const input = args.find((arg) => arg.name.value === 'input');
  return input === undefined ? () => pageSizeUsual : pageSizeIn(input.value);
}

/** Fragments are spread out; validation has refused circles and more fields than may be before anything comes here. */
function partsOf(type: GraphQLOutputType, set: SelectionSetNode, document: DocumentNode): readonly Part[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.INLINE_FRAGMENT) return partsOf(type, selection.selectionSet, document);
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = document.definitions.find(
        (other) => other.kind === Kind.FRAGMENT_DEFINITION && other.name.value === selection.name.value,
      );
      return fragment?.kind === Kind.FRAGMENT_DEFINITION ? partsOf(type, fragment.selectionSet, document) : [];
    }
    const name = selection.name.value;
    const field = fieldsOf(type)?.[name];
    const inner = selection.selectionSet;
    // What a type condition leads to is counted as single fields.
    if (field === undefined || inner === undefined) return [{ times: once, parts: [] }];
    const times = timesOf(name, field.type, selection.arguments ?? []);
    return [{ times, parts: partsOf(field.type, inner, document) }];
  });
}

const count = (parts: readonly Part[], variables: Variables): number => {
  let sum = 0;
  for (const part of parts)
    sum += 1 + (part.parts.length === 0 ? 0 : part.times(variables) * count(part.parts, variables));
  return sum;
};

/** Fields that answers to a query hold, about: a page counts as often as it has items. Looks at each document once. */
export function createQueryCost(schema: GraphQLSchema) {
  const known = new WeakMap<DocumentNode, Map<string, readonly Part[]>>();
  return (document: DocumentNode, operationName: string | undefined, variables: Variables): number => {
    const byName = known.get(document) ?? new Map<string, readonly Part[]>();
    known.set(document, byName);
    const name = operationName ?? '';
    let parts = byName.get(name);
    if (parts === undefined) {
      const operation = getOperationAST(document, operationName);
      const root = operation ? schema.getRootType(operation.operation) : undefined;
      parts = operation && root ? partsOf(root, operation.selectionSet, document) : [];
      byName.set(name, parts);
    }
    return count(parts, variables);
  };
}
