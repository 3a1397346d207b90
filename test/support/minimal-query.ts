import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';

const samples: Readonly<Record<string, string>> = {
  Boolean: 'true',
  DateTime: '"2026-01-01T00:00:00Z"',
  Email: '"a@example.com"',
  Float: '1.5',
  Int: '1',
  JSON: '{}',
};

/** A value of the type as GraphQL writes it, with no field that may be absent. */
function valueOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return valueOf(type.ofType);
  if (isListType(type)) return `[${valueOf(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (!isInputObjectType(type)) return samples[type.name] ?? '"x"';
  const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
  return `{${fields.map((field) => `${field.name}: ${valueOf(field.type)}`).join(', ')}}`;
}

function fieldOf(schema: GraphQLSchema, name: string): { kind: string; field: GraphQLField<unknown, unknown> } {
  const query = schema.getQueryType()?.getFields()[name];
  const field = query ?? schema.getMutationType()?.getFields()[name];
  if (field === undefined) throw new Error(`no root field ${name}`);
  return { kind: query ? 'query' : 'mutation', field };
}

/** The shortest valid operation with this root field. */
export function minimalQuery(schema: GraphQLSchema, name: string): string {
  const { kind, field } = fieldOf(schema, name);
  const given = field.args.filter((arg) => isNonNullType(arg.type)).map((arg) => `${arg.name}: ${valueOf(arg.type)}`);
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }';
  return `${kind} { ${name}${given.length > 0 ? `(${given.join(', ')})` : ''}${selection} }`;
}
