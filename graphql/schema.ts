import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  buildASTSchema,
  DirectiveLocation,
  extendSchema,
  GraphQLDirective,
  GraphQLSchema,
  isInterfaceType,
  isObjectType,
  isUnionType,
  parse,
  type GraphQLFieldResolver,
} from 'graphql';
import { alertResolvers } from './alerts/resolvers.ts';
import { auditResolvers } from './audit/resolvers.ts';
import { batchResolvers } from './batches/resolvers.ts';
import { destinationResolvers } from './destinations/resolvers.ts';
import { detectionResolvers } from './detections/resolvers.ts';
import { uploadResolvers } from './detections/upload-resolvers.ts';
import { identityResolvers } from './identity/resolvers.ts';
import { liveResolvers } from './live/resolvers.ts';
import { metrics } from './metrics/metrics.ts';
import { owedResolvers } from './owed/resolvers.ts';
import { DateTime, Email, JSONScalar } from './scalars.ts';
import { schemaResolvers } from './schemas/resolvers.ts';
import { savedQueryResolvers } from './search/saved-queries.ts';
import { searchResolvers } from './search/resolvers.ts';
import { settingsResolvers } from './settings/resolvers.ts';
import { sourceResolvers } from './sources/resolvers.ts';
import { systemErrorResolvers } from './system-errors/resolvers.ts';

type Resolver = GraphQLFieldResolver<unknown, unknown>;
type ResolverMap = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const areas: readonly ResolverMap[] = [
  alertResolvers,
  auditResolvers,
  batchResolvers,
  destinationResolvers,
  detectionResolvers,
  uploadResolvers,
  identityResolvers,
  liveResolvers,
  { Query: { metrics } },
  owedResolvers,
  schemaResolvers,
  savedQueryResolvers,
  searchResolvers,
  settingsResolvers,
  sourceResolvers,
  systemErrorResolvers,
];

function readSchema(): GraphQLSchema {
  const folder = path.join(import.meta.dirname, 'schema');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted();
  const text = files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n');
  const document = parse(text);
  const definitions = document.definitions.filter((definition) => !definition.kind.endsWith('Extension'));
  const extensions = document.definitions.filter((definition) => definition.kind.endsWith('Extension'));
  const base = buildASTSchema({ ...document, definitions }, { assumeValidSDL: true });
  return forOldClients(extendSchema(base, { ...document, definitions: extensions }, { assumeValidSDL: true }));
}

/** Libraries of clients refuse a schema whose directives stand where their edition of the specification knows no place. */
function forOldClients(schema: GraphQLSchema): GraphQLSchema {
  const { directives, ...config } = schema.toConfig();
  const known = directives.map((directive) => {
    const locations = directive.locations.filter((location) => location !== DirectiveLocation.DIRECTIVE_DEFINITION);
    return locations.length === directive.locations.length
      ? directive
      : new GraphQLDirective({ ...directive.toConfig(), locations });
  });
  return new GraphQLSchema({ ...config, directives: known, assumeValid: true });
}

type Subscriber = { readonly subscribe: Resolver; readonly resolve: Resolver };

function attach(schema: GraphQLSchema, typeName: string, fieldName: string, resolver: unknown): void {
  const type = schema.getType(typeName);
  if ((isInterfaceType(type) || isUnionType(type)) && fieldName === '__resolveType') {
    type.resolveType = resolver as () => string;
    return;
  }
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined)
    throw new Error(`There is a resolver for ${typeName}.${fieldName}, but the schema has no such field.`);
  if (typeName === 'Subscription') Object.assign(field, resolver as Subscriber);
  else field.resolve = resolver as Resolver;
}

/** The schema with its resolvers. Throws when a resolver has no field, or a root field no resolver. */
export function buildSchema(): GraphQLSchema {
  const schema = readSchema();
  for (const [name, { serialize, parseValue, parseLiteral }] of Object.entries({
    DateTime,
    Email,
    JSON: JSONScalar,
    Timestamp: DateTime,
  }))
    Object.assign(schema.getType(name) ?? {}, { serialize, parseValue, parseLiteral });
  for (const area of areas)
    for (const [typeName, fields] of Object.entries(area))
      for (const [fieldName, resolver] of Object.entries(fields)) attach(schema, typeName, fieldName, resolver);
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
    for (const field of Object.values(root?.getFields() ?? {}))
      if (field.resolve === undefined) throw new Error(`The field ${field.name} has no resolver.`);
  return schema;
}
