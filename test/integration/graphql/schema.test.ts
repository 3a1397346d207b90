import { readFileSync } from 'node:fs';
import {
  BreakingChangeType,
  buildSchema as parseSchema,
  executeSync,
  findBreakingChanges,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  parse,
  printSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { operations } from '../../../graphql/operations.ts';
import { buildSchema } from '../../../graphql/schema.ts';
import { referencePages } from '../../../scripts/docs/reference.ts';
import { graphqlOperations } from '../../compat/graphql-operations.ts';

const schema = buildSchema();
const roots = [
  ['query', schema.getQueryType()],
  ['mutation', schema.getMutationType()],
] as const;
const fields = roots.flatMap(([kind, type]) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({ kind, field })),
);

test('the printed schema is up to date (npm run print-schema)', () => {
  expect(readFileSync('graphql/schema.graphql', 'utf8')).toBe(`${printSchema(lexicographicSortSchema(schema))}\n`);
});

test('the printed reference pages are up to date (npm run print-schema)', () => {
  for (const [file, page] of Object.entries(referencePages())) expect(readFileSync(file, 'utf8'), file).toBe(page);
});

test('nothing that clients of the last release use is gone or narrower', () => {
  const released = parseSchema(readFileSync('test/compat/schema-baseline.graphql', 'utf8'));
  // Built-in directives come with the library, in the baseline too; there are none of our own.
  const changes = findBreakingChanges(released, schema).filter(
    ({ type }) => type !== BreakingChangeType.DIRECTIVE_LOCATION_REMOVED,
  );
  expect(changes.map(({ description }) => description)).toEqual([]);
});

test('every root field is an operation of its kind, and every operation a root field', () => {
  const inSchema = fields.map(({ kind, field }) => `${kind} ${field.name}`);
  const inCatalogue = [...operations.values()].map((operation) => `${operation.kind} ${operation.name}`);
  expect(inSchema.toSorted()).toEqual(inCatalogue.toSorted());
});

test('every operation that public clients call is there, of its kind', () => {
  for (const [kind, names] of Object.entries(graphqlOperations))
    for (const name of names) expect([name, operations.get(name)?.kind]).toEqual([name, kind]);
});

test('what is owed to clients is owed to these parts of the product, and all else answers', () => {
  const known: readonly string[] = Object.values(graphqlOperations).flat();
  const owed = known.filter((name) => operations.get(name)?.owedTo !== undefined);
  const byPart = Object.groupBy(owed, (name) => operations.get(name)?.owedTo ?? '');
  expect(byPart).toEqual({
    'language model': [
      'aiInferenceStream',
      'aiInferenceStreamsMetadata',
      'cachedAISummaryData',
      'aiSummarizeAlert',
      'aiSummarizeLogEvents',
    ],
    'identity profiles': ['actorProfileInfo'],
    'cloud scanning': [
      'cloudAccount',
      'cloudAccounts',
      'createCloudAccount',
      'deleteCloudAccount',
      'updateCloudAccount',
    ],
    'detection testing': ['replay', 'createPerfTest', 'stopReplay'],
    'bucket transport': ['createS3Source', 'updateS3Source'],
    'actors of alerts': ['executeAlertActorQuery'],
  });
  process.stdout.write(`operations of clients: ${known.length - owed.length} answer, ${owed.length} are owed\n`);
});

/** Names of what has no description. */
function undescribed(type: GraphQLNamedType): readonly string[] {
  const parts =
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields()).flatMap((field) => [
          field,
          ...field.args.map((arg) => ({ ...arg, name: `${field.name}(${arg.name})` })),
        ])
      : isInputObjectType(type)
        ? Object.values(type.getFields())
        : isEnumType(type)
          ? type.getValues()
          : [];
  return [
    ...(type.description ? [] : [type.name]),
    ...parts.filter(({ description }) => !description).map(({ name }) => `${type.name}.${name}`),
  ];
}

test('every type, field, argument and value is described', () => {
  const own = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  expect(own.flatMap(undescribed)).toEqual([]);
});

test('every mutation names the audit action it writes, and no query does', () => {
  for (const operation of operations.values())
    expect(Boolean(operation.audit), operation.name).toBe(operation.kind === 'mutation');
});

test('introspection names only places of directives that the specification of 2021 has', () => {
  const { data } = executeSync({ schema, document: parse('{ __schema { directives { name locations } } }') });
  const { directives } = (data as { __schema: { directives: { name: string; locations: string[] }[] } }).__schema;
  expect(directives.find(({ name }) => name === 'deprecated')?.locations.toSorted()).toEqual([
    'ARGUMENT_DEFINITION',
    'ENUM_VALUE',
    'FIELD_DEFINITION',
    'INPUT_FIELD_DEFINITION',
  ]);
  const later = directives.flatMap(({ locations }) => locations).filter((place) => place === 'DIRECTIVE_DEFINITION');
  expect(later).toEqual([]);
});
