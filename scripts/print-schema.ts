/**
 * `npm run print-schema`: writes the whole GraphQL schema to graphql/schema.graphql, so that a change of it shows in a
 * diff. With `-- --release` it becomes the baseline that later versions may not break.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchema } from '../graphql/schema.ts';

const text = `${printSchema(lexicographicSortSchema(buildSchema()))}\n`;
const write = (file: string) => writeFileSync(path.resolve(import.meta.dirname, '..', file), text);

write('graphql/schema.graphql');
if (process.argv.includes('--release')) write('test/compat/schema-baseline.graphql');
