export { buildCatalogue, type Catalogue } from './catalogue/catalogue.ts';
export type { LogTypeSchema, SchemaField } from './catalogue/table-columns.ts';
export { defaultLimits, type QueryLimits } from './fence/limits.ts';
export { SqlProblem } from './language/sql-problem.ts';
export { printQuery } from './print/print-query.ts';
export { readRows, type ResultRow } from './queries/read-rows.ts';
export { compileSql } from './sql/compile-sql.ts';
