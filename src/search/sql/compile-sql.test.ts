import { expect, test } from 'vitest';
import type { LakeTable } from '#lake';
import { buildCatalogue } from '../catalogue/catalogue.ts';
import { describeProblem, SqlProblem } from '../language/sql-problem.ts';
import { printQuery } from '../print/print-query.ts';
import { compileSql } from './compile-sql.ts';

const tenantId = '01890000-0000-7000-8000-000000000001';
const trail: LakeTable = {
  id: '01890000-0000-7000-8000-000000000002',
  tenantId,
  family: 'logs',
  logType: 'AWS.CloudTrail',
  layout: 'dedicated',
  database: 't_1',
  table: 'logs_aws_cloudtrail',
  columns: [
    { name: 'eventName', type: 'string' },
    { name: 'userIdentity', type: 'object' },
    { name: 'resources', type: 'array', element: 'object' },
  ],
};
const schemas = [
  {
    logType: 'AWS.CloudTrail',
    description: '',
    fields: [
      { name: 'eventName', type: 'string' },
      { name: 'userIdentity', type: 'object', fields: [{ name: 'userName', type: 'string' }] },
      { name: 'resources', type: 'array', element: { type: 'object' } },
    ],
  },
] as const;
const now = new Date('2026-06-15T12:00:00Z');

function catalogueOf(layout: LakeTable['layout']) {
  const matches: LakeTable = { ...trail, family: 'rule_matches', logType: '', table: 'rule_matches', columns: [] };
  const tables = [trail, matches].map((table) => ({
    ...table,
    layout,
    ...(layout === 'pooled' ? { database: 'pool' } : {}),
  }));
  return buildCatalogue({ tables, schemas, access: { kind: 'DENY', logTypes: new Set(['Okta.SystemLog']) } });
}

async function printed(sql: string, layout: LakeTable['layout']): Promise<string> {
  const { query } = await compileSql(sql, { catalogue: catalogueOf(layout), now });
  return printQuery(query, { tenantId, rowsMax: 1000 }).sql;
}

const examples = {
  paths:
    "select useridentity:username u, userIdentity:arn a, resources[0]:ARN r from panther_logs.public.aws_cloudtrail where eventname = 'ConsoleLogin' and userIdentity:type in ('Root', 'IAMUser') and p_occurs_since('1 day')",
  groups:
    "with recent as (select * from aws_cloudtrail where p_occurs_since('7 days')) select userIdentity:userName as who, count(distinct eventName) as n from recent group by who having n > 3 order by n desc limit 5",
  flatten:
    'select f.value:ARN::string arn, count(*) from aws_cloudtrail, lateral flatten(input => resources) f group by 1',
  matches:
    "select eventName, p_rule_id, userIdentity:userName u from panther_rule_matches.public.aws_cloudtrail where p_alert_severity = 'HIGH'",
  views: 'select p_log_type, count(*) from panther_views.public.all_databases group by all',
};

test.each(['dedicated', 'pooled'] as const)('what the engine is asked in the %s layout', async (layout) => {
  const texts = await Promise.all(
    Object.entries(examples).map(async ([name, sql]) => `-- ${name}\n${await printed(sql, layout)}\n`),
  );
  await expect(texts.join('\n')).toMatchFileSnapshot(`../print/golden/${layout}.sql`);
});

const table = 'panther_logs.public.aws_cloudtrail';

/** A statement, and what its author reads. */
const problems: readonly (readonly [sql: string, message: RegExp])[] = [
  [
    'select eventNam from ' + table,
    /line 1, column 8: there is no column "eventNam"\.\n.*\n {7}\^\nDid you mean "eventName"\?/,
  ],
  [
    'select *\nfrom panther_logs.public.aws_cloudtral',
    /line 2, column 6: there is no table "panther_logs\.public\.aws_cloudtral"\.[\s\S]*Did you mean "aws_cloudtrail"/,
  ],
  [
    'select * from panther_log.public.aws_cloudtrail',
    /there is no database "panther_log"[\s\S]*Did you mean "panther_logs"/,
  ],
  ['select * from panther_lookups.public.tor', /Lookup tables are not in the data lake yet/],
  ['select cout(*) from ' + table, /there is no function "cout"[\s\S]*Did you mean "count"/],
  [`select * from ${table} where`, /syntax error: expected: an expression/],
  [`select * from ${table} where p_event_time > 'yesterday'`, /"yesterday" is not a time[\s\S]*2026-01-31 12:00:00/],
  [
    `select * from ${table} where p_any_ip_addresses = '10.0.0.1'`,
    /a list is compared with a string[\s\S]*ARRAY_CONTAINS/,
  ],
  [`select * from ${table} where p_occurs_since('soon')`, /"soon" is not a duration/],
  [`select eventName, count(*) from ${table}`, /"eventName" is neither in GROUP BY nor inside an aggregate/],
  [`select eventName from ${table} where count(*) > 1`, /has no meaning in WHERE[\s\S]*HAVING/],
  [`select p_event_time:x from ${table}`, /a timestamp has nothing inside/],
  ['select 1; select 2', /there are 2 statements/],
  ['insert into x values (1)', /INSERT is not allowed: only SELECT is/],
  ['', /The statement is empty/],
];

test.each(problems)('%s', async (sql, message) => {
  const problem = await printed(sql, 'dedicated').catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(SqlProblem);
  if (problem instanceof SqlProblem) expect(describeProblem(problem, sql)).toMatch(message);
});

test('text that exhausts the parser is refused, and the next statement is read', async () => {
  for (const sql of [
    `select ${'('.repeat(5000)}1${')'.repeat(5000)}`,
    `select ${Array(9000).fill('true').join(' or ')}`,
    `select 1${' union select 1'.repeat(4000)}`,
  ])
    await expect(printed(sql, 'dedicated')).rejects.toThrow(
      /nested too deeply|reads more than|could not be read in time/,
    );
  expect(await printed('select 1 as one', 'dedicated')).toContain('SELECT 1 AS `c1`');
});
