import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Actor, systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createRemovalService, createSavedSearchService, findSearchText, loadContentDirectory } from '#detections';
import { logTypeSchemas } from '#ingestion';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore } from '#platform/objects';
import { createQueryService, defaultLimits, startQueryRunner } from '#search';
import { queryOf } from '../../../src/detections/content/types/query.ts';
import { startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { createAsker, createSearchBed } from '../../support/search.ts';
import { examples } from './example-seeds.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const bed = createSearchBed(database, server, 'dedicated');
const objects = createLocalObjectStore(path.join(server.folder, 'results'));
const audit = createAuditRecorder({ database, clock: systemClock });
const queries = createQueryService({
  database,
  audit,
  clock: systemClock,
  ids: systemIds,
  objects,
  limits: defaultLimits,
  schemas: logTypeSchemas,
  savedSearch: findSearchText,
});
const runner = startQueryRunner({
  database,
  engine: await server.engine(),
  objects,
  clock: systemClock,
  log: silentLog,
  limits: defaultLimits,
  concurrency: 2,
});
const searches = createSavedSearchService({ database, audit, queries });
const removals = createRemovalService({ database, audit });
afterAll(async () => {
  await runner.stop();
  await server.close();
  await close();
});

const newActor = async (): Promise<Actor> =>
  systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
const actor = await newActor();
const run = async (name: string) => {
  const { id } = await searches.execute(actor, { name });
  await vi.waitFor(async () => expect((await queries.get(actor, { id })).state).not.toMatch(/QUEUED|RUNNING/), {
    timeout: 20_000,
    interval: 50,
  });
  return { query: await queries.get(actor, { id }), rows: (await queries.results(actor, { id }))?.rows };
};

test('a search is kept, found, changed with a history, run and deleted', async () => {
  const made = await searches.create(actor, {
    name: 'Answer',
    sql: 'select 42 as answer',
    description: 'What it is.',
    tags: ['Examples'],
  });
  expect(made).toMatchObject({ name: 'Answer', version: 1, schedule: null, tags: ['Examples'] });
  expect(await run('Answer')).toMatchObject({ query: { name: 'Answer', state: 'SUCCEEDED' }, rows: [[42]] });
  const changed = await searches.update(actor, { name: 'Answer', sql: 'select 43 as answer' });
  expect(changed).toMatchObject({ version: 2, sql: 'select 43 as answer', description: '', tags: [] });
  await removals.deleteSavedQueries(actor, { names: ['Answer'] });
  await expect(searches.get(actor, { name: 'Answer' })).rejects.toMatchObject({ code: 'not_found' });
  const versions = await searches.versions(actor, { name: 'Answer' });
  expect(versions.map(({ version, change, sql }) => [version, change, sql])).toEqual([
    [3, 'DELETED', 'select 43 as answer'],
    [2, 'SAVED', 'select 43 as answer'],
    [1, 'SAVED', 'select 42 as answer'],
  ]);
});

test('a name belongs to one piece of content, and an update needs one that is there', async () => {
  await searches.create(actor, { name: 'Taken', sql: 'select 1' });
  await expect(searches.create(actor, { name: 'Taken', sql: 'select 2' })).rejects.toMatchObject({ code: 'conflict' });
  await expect(searches.update(actor, { name: 'Absent', sql: 'select 2' })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(searches.create(actor, { name: 'a < b', sql: 'select 2' })).rejects.toMatchObject({ code: 'bad_input' });
});

test('a schedule makes it run by the clock; both or neither of rate and cron are refused', async () => {
  const wanted = { name: 'By the clock', sql: 'select 1' };
  const both = { cron: '0 * * * *', rateMinutes: 60 };
  await expect(searches.create(actor, { ...wanted, schedule: both })).rejects.toMatchObject({ code: 'bad_input' });
  await expect(searches.create(actor, { ...wanted, schedule: {} })).rejects.toMatchObject({ code: 'bad_input' });
  const made = await searches.create(actor, {
    ...wanted,
    schedule: { rateMinutes: 60, disabled: true },
    emailConfig: { recipients: ['a@example.com'], sendEmpty: true },
  });
  expect(made).toMatchObject({
    schedule: { rateMinutes: 60, cron: null, timeoutMinutes: 5, disabled: true },
    emailConfig: { recipients: ['a@example.com'], sendEmpty: true, preferAttachment: false },
  });
});

test('lists come page by page, by part of name or description and by tag', async () => {
  const own = await newActor();
  for (const [index, name] of ['Alpha', 'Beta', 'Gamma'].entries())
    await searches.create(own, { name, sql: 'select 1', tags: [`t${index}`], description: `100% ${name}` });
  const first = await searches.list(own, { pageSize: 2 });
  expect(first.searches.map(({ name }) => name)).toEqual(['Alpha', 'Beta']);
  const second = await searches.list(own, { pageSize: 2, cursor: first.endCursor });
  expect([second.searches.map(({ name }) => name), second.endCursor]).toEqual([['Gamma'], null]);
  expect((await searches.list(own, { contains: '100% b' })).searches.map(({ name }) => name)).toEqual(['Beta']);
  expect((await searches.list(own, { contains: '0_' })).searches).toEqual([]);
  expect((await searches.list(own, { tags: ['t0', 't2'] })).searches.map(({ name }) => name)).toEqual([
    'Alpha',
    'Gamma',
  ]);
  await expect(searches.list(own, { cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad_input' });
});

test('another tenant, and who may not, get nothing', async () => {
  await searches.create(actor, { name: 'Mine', sql: 'select 1' });
  const stranger = await newActor();
  for (const ask of [searches.get, searches.versions, searches.execute])
    await expect(ask(stranger, { name: 'Mine' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(searches.update(stranger, { name: 'Mine', sql: 'select 2' })).rejects.toMatchObject({
    code: 'not_found',
  });
  expect((await searches.list(stranger, {})).searches).toEqual([]);
  const reader: Actor = { ...actor, permissions: new Set(['DataAnalyticsRead']) };
  expect((await searches.get(reader, { name: 'Mine' })).sql).toBe('select 1');
  await expect(searches.create(reader, { name: 'New', sql: 'select 1' })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(searches.update(reader, { name: 'Mine', sql: 'select 2' })).rejects.toMatchObject({ code: 'forbidden' });
  const nobody: Actor = { ...actor, permissions: new Set() };
  await expect(searches.execute(nobody, { name: 'Mine' })).rejects.toMatchObject({ code: 'forbidden' });
});

test('macros of one search serve in others, saved or not, and cannot be deleted while they do', async () => {
  await searches.create(actor, {
    name: 'macros',
    sql: '-- pragma: template\n{% macro plus(a, b) export %}{{ a }} + {{ b }}{% endmacro %}',
  });
  const sql = "-- pragma: template\n{% import 'macros' plus %}\nselect {{ plus(40, 2) }} as answer";
  await searches.create(actor, { name: 'uses macros', sql });
  expect((await run('uses macros')).rows).toEqual([[42]]);
  const { id } = await queries.execute(actor, { sql });
  await vi.waitFor(async () => expect((await queries.get(actor, { id })).state).toBe('SUCCEEDED'), { timeout: 10_000 });
  await expect(removals.deleteSavedQueries(actor, { names: ['macros'] })).rejects.toMatchObject({ code: 'conflict' });
  await expect(queries.execute(await newActor(), { sql })).rejects.toMatchObject({
    code: 'bad_input',
    publicMessage: expect.stringContaining('macros'),
  });
});

describe('a search that begins with "-- pragma: clickhouse"', () => {
  // Snowflake's SQL has no arrayJoin, and its lists begin at 0.
  const body =
    "select countIf(x > 1) as n, splitByChar('.', 'a.b')[1] as first from (select arrayJoin([1, 2, 3]) as x)";
  const sql = `-- pragma: clickhouse\n${body}`;
  const answer = { query: { state: 'SUCCEEDED', dialect: 'clickhouse', sql }, rows: [[2, 'a']] };

  test('runs in that language, kept for itself or with a schedule', async () => {
    await searches.create(actor, { name: 'ch kept', sql });
    expect(await run('ch kept')).toMatchObject(answer);
    for (const schedule of [{ rateMinutes: 60 }, { cron: '0 * * * *', disabled: true }]) {
      const name = `ch ${JSON.stringify(schedule).replaceAll(/[^a-z]/gi, ' ')}`;
      await searches.create(actor, { name, sql, schedule });
      expect(await run(name)).toMatchObject(answer);
    }
    await searches.create(actor, { name: 'no pragma', sql: body });
    await expect(searches.execute(actor, { name: 'no pragma' })).rejects.toThrow(/there is no function "arrayJoin"/);
  });

  test('is found by its first line, whatever its ends of lines and what stands before it', async () => {
    for (const [index, text] of [sql.replaceAll('\n', '\r\n'), `\uFEFF${sql}`, `\n  -- Counts.\n  ${sql}`].entries()) {
      await searches.create(actor, { name: `ch odd ${index}`, sql: text });
      expect((await run(`ch odd ${index}`)).rows).toEqual([[2, 'a']]);
    }
    await searches.update(actor, { name: 'ch odd 0', sql: 'select array_construct(7, 8)[0] as first' });
    expect(await run('ch odd 0')).toMatchObject({ query: { dialect: 'snowflake' }, rows: [[7]] });
  });

  test('takes macros of other searches, which do not choose the language of those that use them', async () => {
    const pragmas = '-- pragma: clickhouse\n-- pragma: template\n';
    await searches.create(actor, {
      name: 'ch macros',
      sql: `${pragmas}{% macro first(list) export %}{{ list }}[1]{% endmacro %}`,
    });
    const uses = "{% import 'ch macros' first %}\nselect {{ first('[7, 8]') }} as first";
    await searches.create(actor, { name: 'ch uses', sql: `${pragmas}${uses}` });
    expect(await run('ch uses')).toMatchObject({ query: { dialect: 'clickhouse' }, rows: [[7]] });
    await searches.create(actor, { name: 'sf uses', sql: `-- pragma: template\n${uses}` });
    expect(await run('sf uses')).toMatchObject({ query: { dialect: 'snowflake' }, rows: [[8]] });
  });

  test('is behind the same fence, and told at its own line', async () => {
    const hostile = "-- pragma: clickhouse\nselect *\nfrom url('http://127.0.0.1/', 'CSV', 'x String')";
    await searches.create(actor, { name: 'ch hostile', sql: hostile });
    await expect(searches.execute(actor, { name: 'ch hostile' })).rejects.toMatchObject({
      code: 'bad_input',
      publicMessage: expect.stringMatching(/^sql: line 3, column 10: .*\nfrom url.*\n {9}\^/),
    });
  });
});

describe('examples', async () => {
  const { items } = await loadContentDirectory(path.resolve(import.meta.dirname, '../../../content'));
  const shipped = items.flatMap(({ id, spec }) =>
    spec.AnalysisType === 'saved_query' ? [{ id, sql: queryOf(spec) ?? '' }] : [],
  );
  const schemas = await database.withTenant(actor.tenantId, logTypeSchemas);
  const ask = createAsker({ database, client: server.client }, schemas);

  test('every search that ships has rows that it must and must not find', () => {
    expect(Object.keys(examples).toSorted()).toEqual(shipped.map(({ id }) => id).toSorted());
  });

  test.each(shipped)('$id', async ({ id, sql }) => {
    const tenant = await createTenant(database);
    const { rows = {}, found = [] } = examples[id] ?? {};
    for (const [logType, some] of Object.entries(rows)) {
      const schema = schemas.find((known) => known.logType === logType);
      if (schema === undefined) throw new Error(`There is no schema of ${logType}.`);
      await bed.load(tenant, schema, some);
    }
    const answers = (await ask(tenant, sql)).map((row) => Object.values(row));
    expect(answers.map((row, index) => row.slice(0, found[index]?.length))).toEqual(found);
  });
});
