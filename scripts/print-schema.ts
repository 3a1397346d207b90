/** `npm run print-schema`: writes the whole GraphQL schema to graphql/schema.graphql, so that a change of it shows in a diff. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchema } from '../graphql/schema.ts';

writeFileSync(
  path.resolve(import.meta.dirname, '../graphql/schema.graphql'),
  `${printSchema(lexicographicSortSchema(buildSchema()))}\n`,
);
