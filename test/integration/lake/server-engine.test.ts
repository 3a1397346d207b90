import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { createServerQueryEngine, listTables } from '#lake';
import { buildCatalogue, compileSql, defaultLimits, engineSettings, type LogTypeSchema, printQuery } from '#search';
import { createTenant } from '../../support/postgres.ts';
import { createSearchBed, testNow } from '../../support/search.ts';
import { startTestStores } from '../../support/stores.ts';

const { database, server } = await startTestStores();

const act: LogTypeSchema = { logType: 'Custom.Act', description: '', fields: [{ name: 'note', type: 'string' }] };
const bed = createSearchBed(database, server, 'pooled');
let mine = '';
beforeAll(async () => {
  mine = await createTenant(database);
  await bed.load(mine, act, [{ note: "it's mine" }]);
  await bed.load(await createTenant(database), act, [{ note: 'SECRET of another tenant' }]);
});

async function readsOf(sql: string) {
  const tables = await database.withTenant(mine, (tx) => listTables(tx, mine));
  const catalogue = buildCatalogue({ tables, schemas: [act], access: { kind: 'ALLOW_ALL' } });
  const { query } = await compileSql(sql, { catalogue, now: testNow });
  return printQuery(query, { tenantId: mine, rowsMax: 100 }).reads;
}

test('a server holds a query to the rows that its plan names, whatever its text says', async () => {
  const tables = await readsOf('select note from custom_act');
  const [read] = tables;
  const table = `\`${read?.database}\`.\`${read?.table}\``;
  const engine = createServerQueryEngine(server.client);
  for (const sql of [
    `SELECT note FROM ${table}`,
    `SELECT x.note FROM ${table} AS x`,
    `SELECT note FROM (SELECT * FROM ${table})`,
    `WITH a AS (SELECT note FROM ${table}) SELECT note FROM a UNION DISTINCT SELECT note FROM a`,
    `SELECT a.note FROM ${table} a LEFT JOIN ${table} b ON a.note = b.note`,
    `SELECT note FROM ${table} WHERE note IN (SELECT note FROM ${table})`,
    `SELECT DISTINCT (SELECT max(note) FROM ${table}) FROM ${table}`,
  ]) {
    const lines: string[] = [];
    const signal = new AbortController().signal;
    const options = { queryId: randomUUID(), settings: engineSettings(defaultLimits), signal, tables };
    for await (const some of engine.lines(sql, options)) lines.push(...some.filter((line) => line !== ''));
    expect(lines, sql).toEqual([`["it's mine"]`]);
  }
});

test('queries run as the user that only reads, their progress is looked up as the user of the product', async () => {
  const calls: string[] = [];
  async function* lines(sql: string) {
    calls.push(`reader: ${sql}`);
    yield [];
  }
  const progress = async (queryId: string) => {
    calls.push(`product: ${queryId}`);
    return { readRows: 1, readBytes: 2 };
  };
  const unused = (): never => {
    throw new Error('A query ran as the user of the product.');
  };
  const engine = createServerQueryEngine({ lines: unused, progress }, { lines });
  const options = { queryId: 'q', settings: {}, signal: new AbortController().signal, tables: [] };
  for await (const _ of engine.lines('SELECT 1', options));
  await engine.progress('q');
  expect(calls).toEqual(['reader: SELECT 1', 'product: q']);
});

test('the engine understands every statement that makes the reading user, and they grant nothing but reading', async () => {
  const sql = (await readFile('deploy/clickhouse-reader.sql', 'utf8')).replaceAll(/^--.*$/gm, '');
  const statements: string[] = [];
  for (const query of sql.split(';').filter((text) => text.trim() !== ''))
    for (const row of await server.client.rows<{ text: string }>(
      'SELECT formatQuerySingleLine({query:String}) AS text',
      {
        query,
      },
    ))
      statements.push(row.text);
  expect(statements.map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
    'CREATE SETTINGS',
    'CREATE USER',
    'ALTER USER',
    'REVOKE ALL',
    'GRANT SELECT',
    'GRANT SELECT',
  ]);
  expect(statements[0]).toContain('readonly = 2, allow_ddl = 0 CONST');
});
