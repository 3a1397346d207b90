import { readFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { expect, test } from 'vitest';
import { operations } from '../../../graphql/operations.ts';
import { buildSchema } from '../../../graphql/schema.ts';

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

test('every root field is an operation of its kind, and every operation a root field', () => {
  const inSchema = fields.map(({ kind, field }) => `${kind} ${field.name}`);
  const inCatalogue = [...operations.values()].map((operation) => `${operation.kind} ${operation.name}`);
  expect(inSchema.toSorted()).toEqual(inCatalogue.toSorted());
});

test('every root field is described', () => {
  for (const { field } of fields) expect(field.description, field.name).toBeTruthy();
});

test('every mutation names the audit action it writes, and no query does', () => {
  for (const operation of operations.values())
    expect(Boolean(operation.audit), operation.name).toBe(operation.kind === 'mutation');
});
