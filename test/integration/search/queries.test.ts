import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { type Actor, type LogTypeAccess, systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore } from '#platform/objects';
import { createQueryService, defaultLimits, type LogTypeSchema, startQueryRunner } from '#search';
import { traceId } from '../../support/alerts.ts';
import { startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { createSearchBed } from '../../support/search.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const engine = await server.engine();
const objects = createLocalObjectStore(path.join(server.folder, 'results'));
const limits = { ...defaultLimits, timeoutSeconds: 20, rowsMax: 50_000, resultBytesMax: 2_000_000 };
const schema: LogTypeSchema = { logType: 'Custom.Act', description: 'Acts.', fields: [{ name: 'n', type: 'bigint' }] };
const service = createQueryService({
  database,
  audit: createAuditRecorder({ database, clock: systemClock }),
  clock: systemClock,
  ids: systemIds,
  objects,
  limits,
  schemas: async () => [schema],
  savedSearch: async (_tx, name) => kept.get(name),
});
/** Saved searches by name. */
const kept = new Map<string, string>();
const runner = startQueryRunner({
  database,
  engine,
  objects,
  clock: systemClock,
  log: silentLog,
  limits,
  concurrency: 3,
});
const bed = createSearchBed(database, server, 'dedicated');
afterAll(async () => {
  await runner.stop();
  await server.close();
  await close();
});

const tenant = await createTenant(database);
const actor = systemActor(tenant, 'test', traceId);
await bed.load(
  tenant,
  schema,
  Array.from({ length: 2500 }, (_, n) => ({
    at: new Date().toISOString(),
    n,
    p_any_ip_addresses: [`10.0.0.${n % 250}`],
  })),
);

const seeing = (access: LogTypeAccess): Actor => ({ ...actor, logTypeAccess: access });
const over = (asker: Actor, id: string) =>
  vi.waitFor(
    async () => {
      const query = await service.get(asker, { id });
      if (query.state === 'QUEUED' || query.state === 'RUNNING') throw new Error('not over yet');
      return query;
    },
    { timeout: 30_000, interval: 50 },
  );
const run = async (sql: string, asker = actor) => over(asker, (await service.execute(asker, { sql })).id);

test('a result comes page by page, every row once and in order', async () => {
  const { id, state, rowCount } = await run('select n from custom_act order by n');
  expect([state, rowCount]).toEqual(['SUCCEEDED', 2500]);
  const seen: unknown[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < 10 && cursor !== null; pages++) {
    const page = await service.results(actor, { id, cursor, pageSize: 999 });
    seen.push(...(page?.rows ?? []).map(([n]) => n));
    cursor = page?.endCursor ?? null;
  }
  expect(seen).toEqual(Array.from({ length: 2500 }, (_, n) => n));
});

test('a query in the SQL of ClickHouse is one that says so, or that is asked as one', async () => {
  const sql = 'select countIf(n < 10) c from panther_logs.custom_act';
  await expect(service.execute(actor, { sql })).rejects.toThrow(/there is no function "countIf"/);
  for (const input of [{ sql, dialect: 'clickhouse' }, { sql: `-- pragma: clickhouse\n${sql}` }]) {
    const query = await over(actor, (await service.execute(actor, input)).id);
    expect(query).toMatchObject({ state: 'SUCCEEDED', dialect: 'clickhouse' });
    expect((await service.results(actor, { id: query.id }))?.rows).toEqual([[10]]);
  }
  await expect(service.execute(actor, { sql, dialect: 'mysql' })).rejects.toThrow(/dialect/);
});

test('a cancelled query stops in the engine', async () => {
  const { id } = await service.execute(actor, {
    sql: 'select count(*) c from table(generator(rowcount => 1000000)) a cross join table(generator(rowcount => 1000000)) b',
  });
  await vi.waitFor(async () => expect((await service.get(actor, { id })).state).toBe('RUNNING'), { timeout: 10_000 });
  await vi.waitFor(async () => expect((await engine.progress(id)).readRows).toBeGreaterThan(0), { timeout: 10_000 });
  await service.cancel(actor, { id });
  expect((await over(actor, id)).state).toBe('CANCELLED');
  await vi.waitFor(async () => expect((await engine.progress(id)).readRows).toBe(0));
});

const tooLarge =
  "select n, repeat_me.x from custom_act, (select array_to_string(array_agg(n), ',') x from custom_act) repeat_me";

test('limits say which one was reached and how to narrow', async () => {
  const large = await run(tooLarge);
  expect(large).toMatchObject({ state: 'FAILED', message: expect.stringMatching(/larger than 2 MiB.*LIMIT/) });
  const many = await run('select a.n from custom_act a cross join custom_act b');
  expect(many).toMatchObject({
    state: 'SUCCEEDED',
    rowCount: 50_000,
    message: 'Only the first 50000 rows are kept. Use LIMIT, or group the rows.',
  });
});

test('a wrong statement is refused with its place, before anything runs', async () => {
  await expect(service.execute(actor, { sql: 'select m from custom_act' })).rejects.toMatchObject({
    code: 'bad_input',
    publicMessage: expect.stringMatching(/^sql: line 1, column 8: there is no column "m"/),
  });
});

test('the same question within seconds shows the same result, until something is loaded', async () => {
  const sql = 'select count(*) c from custom_act';
  const first = await run(sql);
  const again = await run(sql);
  expect(again.resultOf).toBe(first.id);
  expect((await service.results(actor, { id: again.id }))?.rows).toEqual([[2500]]);
  await bed.load(tenant, schema, [{ at: new Date().toISOString(), n: 9999 }]);
  const after = await run(sql);
  expect(after.resultOf).toBeNull();
  expect((await service.results(actor, { id: after.id }))?.rows).toEqual([[2501]]);
});

test('who may not read a log type sees neither the table nor results that hold it', async () => {
  const { id } = await run('select n from custom_act limit 1');
  const blind = seeing({ kind: 'DENY', logTypes: new Set(['Custom.Act']) });
  await expect(service.execute(blind, { sql: 'select n from custom_act' })).rejects.toMatchObject({
    code: 'bad_input',
  });
  await expect(service.get(blind, { id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(service.results(blind, { id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(service.cancel(blind, { id })).rejects.toMatchObject({ code: 'not_found' });
  expect((await service.list(blind, {})).queries.some((query) => query.id === id)).toBe(false);
  const matches = await run('select count(*) c from panther_views.public.all_logs', blind);
  expect((await service.results(blind, { id: matches.id }))?.rows).toEqual([[0]]);
});

test('another tenant finds nothing', async () => {
  const { id } = await run('select n from custom_act limit 1');
  const stranger = systemActor(await createTenant(database), 'test', traceId);
  await expect(service.get(stranger, { id })).rejects.toMatchObject({ code: 'not_found' });
  expect((await service.list(stranger, {})).queries).toEqual([]);
  const own = await run('select count(*) c from custom_act', stranger);
  expect((await service.results(stranger, { id: own.id }))?.rows).toEqual([[0]]);
});

test('an indicator is found in all log types, in its range of time only', async () => {
  const search = (startTime: Date, endTime: Date) =>
    service.searchIndicators(actor, { indicators: ['10.0.0.7'], startTime, endTime });
  const day = 86_400_000;
  const found = await over(actor, (await search(new Date(Date.now() - day), new Date(Date.now() + day))).id);
  expect(found).toMatchObject({ state: 'SUCCEEDED', rowCount: 10 });
  const before = await over(actor, (await search(new Date(0), new Date(day))).id);
  expect(before.rowCount).toBe(0);
});

const lately = { startTime: new Date(Date.now() - 86_400_000), endTime: new Date(Date.now() + 86_400_000) };

test('a histogram counts events over time in readable steps, within its limit of bars', async () => {
  const { id } = await service.histogram(actor, { ...lately, where: 'n < 100 or n = 2000', bucketsMax: 10 });
  expect(await over(actor, id)).toMatchObject({ state: 'SUCCEEDED', message: '' });
  const rows = (await service.results(actor, { id }))?.rows ?? [];
  expect(rows.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(101);
  for (const [start, logType] of rows) {
    expect(new Date(`${String(start)}Z`).getTime() % 21_600_000).toBe(0);
    expect(logType).toBe('Custom.Act');
  }
});

test('statistics of fields name the most frequent values and how many events have the field', async () => {
  const { id } = await service.fieldStatistics(actor, {
    ...lately,
    tables: ['custom_act'],
    where: 'n < 2500',
    fields: ['p_log_type', 'p_any_ip_addresses[0]', 'mod(n, 3)'],
    valuesMax: 2,
  });
  expect(await over(actor, id)).toMatchObject({ state: 'SUCCEEDED', message: '' });
  const rows = (await service.results(actor, { id }))?.rows ?? [];
  const without = rows.map(([field, value, count, , , having, distinct]) => [field, value, count, having, distinct]);
  expect(without).toEqual([
    ['mod(n, 3)', '0', 834, 2500, 3],
    ['mod(n, 3)', '1', 833, 2500, 3],
    ['p_any_ip_addresses[0]', '10.0.0.0', 10, 2500, 250],
    ['p_any_ip_addresses[0]', '10.0.0.1', 10, 2500, 250],
    ['p_log_type', 'Custom.Act', 2500, 2500, 1],
  ]);
});

test('conditions and fields of a search page are in the dialect that is asked for, or that the condition names', async () => {
  const rowsOf = async ({ id }: { readonly id: string }) => {
    expect(await over(actor, id)).toMatchObject({ state: 'SUCCEEDED', dialect: 'clickhouse', message: '' });
    return (await service.results(actor, { id }))?.rows ?? [];
  };
  // In Snowflake's SQL the first place of a list is 0, and there is no function "has".
  const where = "has(p_any_ip_addresses, '10.0.0.7') and p_any_ip_addresses[1] = '10.0.0.7'";
  await expect(service.histogram(actor, { ...lately, where })).rejects.toThrow(/no function "has"/);
  for (const input of [{ where, dialect: 'clickhouse' }, { where: `-- pragma: clickhouse\n${where}` }]) {
    const counted = await rowsOf(await service.histogram(actor, { ...lately, ...input }));
    expect(counted.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(10);
    const fields = ['p_any_ip_addresses[1]', 'multiIf(n < 1000, 1, 2)', "splitByChar('.', p_any_ip_addresses[-1])[4]"];
    const found = await rowsOf(await service.fieldStatistics(actor, { ...lately, ...input, fields }));
    expect(found.map(([field, value, count, , , having, distinct]) => [field, value, count, having, distinct])).toEqual(
      [
        ['multiIf(n < 1000, 1, 2)', '2', 6, 10, 2],
        ['multiIf(n < 1000, 1, 2)', '1', 4, 10, 2],
        ['p_any_ip_addresses[1]', '10.0.0.7', 10, 10, 1],
        ["splitByChar('.', p_any_ip_addresses[-1])[4]", '7', 10, 10, 1],
      ],
    );
  }
  await expect(service.histogram(actor, { ...lately, where, dialect: 'mysql' })).rejects.toThrow(/dialect/);
});

const hostileConditions = [
  '1 = 1) union all select now(), name from system.tables --',
  "1 = 1) union all select now(), line from file('/etc/passwd', 'LineAsString', 'line String') where (1",
  'n in (select n from custom_hidden)',
  "exists (select 1 from url('http://127.0.0.1/', 'CSV', 'x String'))",
  "n = 1 and dictGet('d', 'a', 1) = 1",
  'note = currentUser() or sleep(3) = 0',
  '1) settings max_execution_time = 0 --',
  "1) into outfile '/tmp/margay-hostile' --",
  '1 = 1); drop table custom_act; select (1',
];

test.each(hostileConditions)('a condition that wants more is refused: %s', async (where) => {
  for (const dialect of ['snowflake', 'clickhouse']) {
    const refused = { code: 'bad_input', publicMessage: expect.stringMatching(/^where: .{15}/) };
    await expect(service.histogram(actor, { ...lately, where, dialect })).rejects.toMatchObject(refused);
    const fields = ['n'];
    await expect(service.fieldStatistics(actor, { ...lately, where, fields, dialect })).rejects.toMatchObject(refused);
  }
});

test('what is wrong on a search page is shown where its author wrote it', async () => {
  const said = async (question: Promise<unknown>) => {
    const refused: unknown = await question.catch((error: unknown) => error);
    return (refused as { readonly publicMessage: string }).publicMessage.split('\n');
  };
  for (const dialect of ['snowflake', 'clickhouse']) {
    const asked = { ...lately, tables: ['custom_act'], dialect };
    const unknown = 'n > 1\n  and m = 2';
    const column = [
      expect.stringMatching(/^where: line 2, column 7: there is no column "m"/),
      '  and m = 2',
      '      ^',
    ];
    expect((await said(service.histogram(actor, { ...asked, where: unknown }))).slice(0, 3)).toEqual(column);
    const statistics = service.fieldStatistics(actor, { ...asked, where: unknown, fields: ['n', 'n + 1'] });
    expect((await said(statistics)).slice(0, 3)).toEqual(column);
    expect((await said(service.histogram(actor, { ...asked, where: 'n = 1 and' }))).slice(0, 3)).toEqual([
      expect.stringMatching(/^where: line 1, column 10: /),
      'n = 1 and',
      '         ^',
    ]);
    const field = service.fieldStatistics(actor, { ...asked, where: 'n = 1', fields: ['n', 'length(m)'] });
    expect((await said(field)).slice(0, 3)).toEqual([
      expect.stringMatching(/^fields: line 1, column 8: there is no column "m"/),
      'length(m)',
      '       ^',
    ]);
  }
});

test('a search page gets reasons: conditions, tables, limits', async () => {
  await expect(service.histogram(actor, { ...lately, where: 'm = 1' })).rejects.toMatchObject({
    publicMessage: expect.stringMatching(/^where: .*there is no column "m"/),
  });
  await expect(service.histogram(actor, { ...lately, tables: ['custom_acts'] })).rejects.toMatchObject({
    publicMessage: expect.stringMatching(/custom_act/),
  });
  await expect(
    service.fieldStatistics(actor, { ...lately, fields: Array.from({ length: 21 }, () => 'n') }),
  ).rejects.toMatchObject({ code: 'bad_input' });
  const blind = seeing({ kind: 'DENY', logTypes: new Set(['Custom.Act']) });
  await expect(service.histogram(blind, { ...lately, tables: ['custom_act'] })).rejects.toMatchObject({
    code: 'bad_input',
  });
});

test('a result is downloaded whole in every form, by those who may see it', async () => {
  const { id } = await run('select n, p_any_ip_addresses ips from custom_act where n < 2500 order by n');
  const download = async (format: string, asker = actor): Promise<Buffer> => {
    const { bytes } = await service.download(asker, { id, format });
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const csv = (await download('csv')).toString().split('\r\n');
  expect([csv.length, csv[0], csv[2500]]).toEqual([2502, 'n,ips', '2499,"[""10.0.0.249""]"']);
  const lines = (await download('jsonl')).toString().trim().split('\n');
  expect(JSON.parse(lines[2499] ?? '')).toEqual({ n: 2499, ips: ['10.0.0.249'] });
  const parquet = await download('parquet');
  expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  const blind = seeing({ kind: 'DENY', logTypes: new Set(['Custom.Act']) });
  await expect(download('csv', blind)).rejects.toMatchObject({ code: 'not_found' });
  await expect(download('csv', systemActor(await createTenant(database), 'test', traceId))).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(download('csv', { ...actor, permissions: new Set() })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(download('xlsx')).rejects.toMatchObject({ code: 'bad_input' });
  const failed = await run(tooLarge);
  expect(failed.state).toBe('FAILED');
  await expect(service.download(actor, { id: failed.id, format: 'csv' })).rejects.toMatchObject({ code: 'conflict' });
  const audited = await database.withTenant(tenant, (tx) =>
    tx.query("SELECT 1 FROM audit_events WHERE tenant_id = $1 AND action = 'DOWNLOAD_DATA_LAKE_QUERY'", [tenant]),
  );
  expect(audited).toHaveLength(3);
});

test('a query whose runner died is run by another one; a third death is the last', async () => {
  const orphan = async (attempts: number): Promise<string> => {
    const { id } = await service.execute(actor, {
      sql: `select n + ${attempts} x from custom_act limit 1 offset ${Math.floor(Math.random() * 1000)}`,
      name: randomUUID(),
    });
    await over(actor, id);
    await database.withTenant(tenant, (tx) =>
      tx.execute(
        "UPDATE lake_queries SET state = 'RUNNING', attempts = $2, lease_until = now() - interval '1 second' WHERE id = $1",
        [id, attempts],
      ),
    );
    return id;
  };
  const [twice, thrice] = [await orphan(2), await orphan(3)];
  expect((await over(actor, twice)).state).toBe('SUCCEEDED');
  expect(await over(actor, thrice)).toMatchObject({
    state: 'FAILED',
    message: expect.stringContaining('three times'),
  });
});

test('history finds queries by text, state and asker', async () => {
  const marker = 'select 42 as the_answer';
  const { id } = await run(marker);
  const found = await service.list(actor, {
    contains: 'THE_ANSWER',
    status: ['succeeded'],
    issuedBy: ['system'],
    pageSize: 1,
  });
  expect(found.queries.map((query) => query.id)).toEqual([id]);
  expect((await service.list(actor, { status: ['failed'], contains: 'the_answer' })).queries).toEqual([]);
  const first = await service.list(actor, { pageSize: 2 });
  const second = await service.list(actor, { pageSize: 2, cursor: first.endCursor });
  expect(new Set([...first.queries, ...second.queries].map((query) => query.id)).size).toBe(4);
});

test('the directory lists what can be asked', async () => {
  const names = (await service.databases(actor, {})).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['panther_logs', 'panther_rule_matches', 'panther_views', 'panther_signals']),
  );
  const table = await service.table(actor, { databaseName: 'panther_logs.public', tableName: 'Custom_Act' });
  expect(table.columns.find(({ name }) => name === 'n')?.type).toEqual({ kind: 'integer' });
  await expect(service.table(actor, { databaseName: 'panther_logs', tableName: 'nope' })).rejects.toMatchObject({
    code: 'not_found',
  });
  expect((await service.tables(actor, { databaseName: 'panther_views', pageSize: 2 })).endCursor).not.toBeNull();
});
