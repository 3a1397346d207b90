/**
 * `npm run print-schema`: writes the whole GraphQL schema to graphql/schema.graphql, so that a change of it shows in a
 * diff, and the reference pages of the handbook. With `-- --release` it becomes the baseline that later versions may not break.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchema } from '../graphql/schema.ts';
import { referencePages } from './docs/reference.ts';

const root = path.resolve(import.meta.dirname, '..');
const text = `${printSchema(lexicographicSortSchema(buildSchema()))}\n`;
const write = (file: string, content: string) => writeFileSync(path.join(root, file), content);

write('graphql/schema.graphql', text);
for (const [file, page] of Object.entries(referencePages())) write(file, page);
if (process.argv.includes('--release')) write('test/compat/schema-baseline.graphql', text);
