/** `npm run compat -- <client or server>`: what others make, unmodified, against this product. */
import { runClickhouse } from './compat/clickhouse.ts';
import { runContentCi } from './compat/content-ci.ts';
import { runMcp } from './compat/mcp.ts';
import { runParquet } from './compat/parquet.ts';
import { runPat } from './compat/pat.ts';
import { runQueries } from './compat/queries.ts';
import { runSchemas } from './compat/schemas.ts';
import { runSchemathesis } from './compat/schemathesis.ts';
import { runTerraform } from './compat/terraform.ts';

const suites: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  clickhouse: runClickhouse,
  'content-ci': runContentCi,
  mcp: runMcp,
  parquet: runParquet,
  pat: runPat,
  queries: runQueries,
  schemas: runSchemas,
  schemathesis: runSchemathesis,
  terraform: runTerraform,
};
const [name = '', ...args] = process.argv.slice(2);
const suite = suites[name];
if (suite === undefined) {
  process.stderr.write(`Usage: npm run compat -- ${Object.keys(suites).join('|')} [options]\n`);
  process.exit(2);
}
process.exit(await suite(args));
