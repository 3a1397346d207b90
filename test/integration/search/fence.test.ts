import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogTypeAccess } from '#access';
import { type LakeLayout, listTables } from '#lake';
import { QueryStopped } from '#platform/lake-client';
import { buildCatalogue, compileSql, type DialectName, type LogTypeSchema, printQuery, SqlProblem } from '#search';
import { hostileStatements } from '../../support/hostile-statements.ts';
import { startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { createAsker, createSearchBed, testNow } from '../../support/search.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const engine = await server.engine();
afterAll(async () => {
  await server.close();
  await close();
});

const fields: LogTypeSchema['fields'] = [
  { name: 'n', type: 'bigint' },
  { name: 'note', type: 'string' },
  { name: 'extra', type: 'json' },
  { name: 'tags', type: 'array', element: { type: 'string' } },
];
const act: LogTypeSchema = { logType: 'Custom.Act', description: '', fields };
const hidden: LogTypeSchema = { logType: 'Custom.Hidden', description: '', fields };
const schemas = [act, hidden];
/** The attacker may read one log type of their own tenant. */
const access: LogTypeAccess = { kind: 'ALLOW', logTypes: new Set(['Custom.Act']) };

/** What must never come back: rows of the other tenant, rows of the hidden log type, and what lies outside the lake. */
const secret = /SECRET|root:x:0|p_tenant_id|MergeTree/;

/** Words that only ClickHouse's SQL has. */
const clickhousePieces = [
  'array join tags as tag',
  'left array join tags',
  'arrayJoin(tags)',
  'arrayMap(x -> x, tags)',
  'arrayFilter((x, y) -> y, tags, tags)',
  'prewhere',
  'final',
  'limit 1 by n',
  'quantile(0.9)(n)',
  "JSONExtract(extra, 'a', 'String')",
  "extra['a']",
  'tags[1]',
  'sumIf(n, n > 1)',
  'interval 1 day',
  "toDateTime('2026-01-01')",
  "match(note, '\\d')",
  'except (n)',
  'cast(n as Nullable(String))',
  'tag',
  'y',
  '->',
];

/** What the engine may be asked to do, seen with its texts taken out. */
function expectFenced(sql: string, databases: readonly string[]): void {
  const bare = sql
    .replaceAll(/'(?:[^'\\]|\\.)*'/gs, "''")
    .replaceAll(/`(?:[^`\\]|\\.)*`/gs, (name) => (databases.includes(name) ? '`d`' : '`x`'));
  expect(bare).not.toMatch(/;|--|\/\*|#/);
  expect(bare).not.toMatch(
    /\b(settings|format|outfile|prewhere|system|information_schema|file|url|s3|remote|merge|cluster|dictGet\w*|joinGet|sleep\w*|hostName|executable|mysql|postgresql|input|view|dictionary|EXECUTE|INSERT|ALTER|CREATE|DROP)\b/i,
  );
  // A physical table is named with its database; only databases of the tenant may stand there.
  for (const [, name] of bare.matchAll(/FROM `(\w)`\.`x`/g)) expect(name).toBe('d');
}

/** One layout is enough for the second language: whose rows are read is decided after both have become a plan. */
const settings: readonly (readonly [dialect: DialectName, layout: LakeLayout])[] = [
  ['snowflake', 'dedicated'],
  ['snowflake', 'pooled'],
  ['clickhouse', 'pooled'],
];

describe.each(settings)('SQL of %s, %s layout', (dialect, layout) => {
  const bed = createSearchBed(database, server, layout);
  const ask = createAsker({ database, client: server.client, engine }, schemas, dialect);
  let [mine, other] = ['', ''];
  let databases: readonly string[] = [];
  beforeAll(async () => {
    [mine, other] = [await createTenant(database), await createTenant(database)];
    await bed.load(mine, act, [
      { n: 1, note: 'mine', extra: { a: 1 }, tags: ['x'] },
      { n: 2, note: 'also mine' },
    ]);
    await bed.load(mine, hidden, [{ n: 3, note: 'SECRET of another role' }]);
    await bed.load(other, act, [{ n: 4, note: 'SECRET of another tenant' }]);
    await bed.loadFamily(mine, 'rule_matches', 'Custom.Hidden', [
      { p_rule_id: 'SECRET rule', p_event: '{"note":"SECRET event"}' },
    ]);
    await bed.loadFamily(mine, 'signals', 'Custom.Hidden', [{ p_rule_id: 'SECRET rule' }]);
    databases = [
      ...new Set(
        (await database.withTenant(mine, (tx) => listTables(tx, mine))).map((table) => `\`${table.database}\``),
      ),
    ];
  });

  test('own rows are there', async () => {
    expect(await ask(mine, 'select note from panther_logs.public.custom_act order by n', access)).toEqual([
      { note: 'mine' },
      { note: 'also mine' },
    ]);
  });

  test('views, matches and signals leave out log types that the caller may not read', async () => {
    const sql = (table: string) => `select count(*) c from ${table}`;
    for (const table of ['panther_views.public.all_rule_matches', 'panther_signals.public.correlation_signals'])
      expect(await ask(mine, sql(table), access)).toEqual([{ c: 0 }]);
    expect(await ask(mine, sql('panther_views.public.all_databases'), access)).toEqual([{ c: 2 }]);
    expect(await ask(mine, sql('panther_views.public.all_databases'))).toEqual([{ c: 5 }]);
  });

  test('every hostile statement is refused with a reason or stays inside', { timeout: 300_000 }, async () => {
    const physical = (await database.withTenant(other, (tx) => listTables(tx, other))).map(
      (table) => `${table.database}.${table.table}`,
    );
    const first = physical[0] ?? '';
    const targets = [
      first,
      `"${first.split('.')[0]}"."${first.split('.')[1]}"`,
      `\`${first.replace('.', '`.`')}\``,
      'panther_logs.public.custom_hidden',
      'custom_hidden',
      'panther_rule_matches.public.custom_hidden',
      'system.tables',
      'system.processes',
      'information_schema.tables',
      'INFORMATION_SCHEMA.COLUMNS',
      'panther_logs.private.custom_act',
      'snowflake.account_usage.users',
      'pool.logs_custom_act',
      'default.x',
    ];
    const statements = hostileStatements({ own: 'panther_logs.public.custom_act', targets }, dialect);
    expect(statements.length).toBeGreaterThan(300);
    let refused = 0;
    for (const sql of statements) {
      const outcome = await ask(mine, sql, access).catch((error: unknown) => error);
      if (outcome instanceof SqlProblem) {
        expect(outcome.message.length, sql).toBeGreaterThan(10);
        refused += 1;
      } else if (!(outcome instanceof QueryStopped)) {
        expect(Array.isArray(outcome), `${sql}: ${String(outcome)}`).toBe(true);
        expect(JSON.stringify(outcome), sql).not.toMatch(secret);
      }
    }
    expect(existsSync('/tmp/margay-hostile')).toBe(false);
    expect(refused).toBeGreaterThan(250);
  });

  test(
    'whatever is thrown at it, what is printed reads own tables through known functions only',
    { timeout: 300_000 },
    async () => {
      const catalogue = buildCatalogue({
        tables: await database.withTenant(mine, (tx) => listTables(tx, mine)),
        schemas,
        access,
      });
      const pieces = [
        'select',
        'from',
        'where',
        'custom_act',
        'panther_logs.public.custom_act',
        'panther_views.public.all_logs',
        'note',
        'n',
        'extra:a',
        "'x'",
        '"x"',
        '1',
        '*',
        ',',
        '(',
        ')',
        '=',
        'and',
        'or',
        'not',
        'in',
        'join',
        'on',
        'a',
        'as',
        'with',
        'x',
        'union all',
        'order by',
        'limit 1',
        ';',
        '--',
        '/*',
        '*/',
        'system.tables',
        "file('/etc/passwd')",
        'file',
        'settings',
        'format',
        'group by',
        'count(*)',
        'exists',
        'lateral flatten(input => tags) f',
        'f.value',
        '::string',
        '[0]',
        '\\',
        "'",
        '`',
        '"',
        "p_occurs_since('1 day')",
        ...(dialect === 'clickhouse' ? clickhousePieces : []),
      ];
      const shapes = fc.oneof(
        fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((parts) => parts.join(' ')),
        fc
          .array(fc.constantFrom(...pieces), { maxLength: 8 })
          .map((parts) => `select ${parts.join(' ')} from custom_act`),
        fc
          .string({ unit: 'binary', maxLength: 40 })
          .map(
            (text) =>
              `select '${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}' as "${text.replaceAll('"', '""')}", extra:"${text.replaceAll('"', '""')}" from custom_act where note like '${text.replaceAll("'", "''")}'`,
          ),
      );
      await fc.assert(
        fc.asyncProperty(shapes, async (sql) => {
          const compiled = await compileSql(sql, { catalogue, now: testNow, dialect }).catch((error: unknown) => error);
          if (compiled instanceof SqlProblem) return;
          if (compiled instanceof Error) throw compiled;
          if (typeof compiled === 'object' && compiled !== null && 'query' in compiled)
            expectFenced(
              printQuery((compiled as Awaited<ReturnType<typeof compileSql>>).query, { tenantId: mine, rowsMax: 10 })
                .sql,
              databases,
            );
        }),
        { numRuns: 150 },
      );
    },
  );

  test('a text comes back as it was written', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 30 }), async (text) => {
        fc.pre(!/[\0\u202a-\u202e\u2066-\u2069]/.test(text));
        const sql = `select '${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}' as t`;
        expect(await ask(mine, sql, access)).toEqual([{ t: text }]);
      }),
      { numRuns: 25 },
    );
  });
});
