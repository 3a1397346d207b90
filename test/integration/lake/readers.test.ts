import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createReaders, type LakeLayout, listTables, type QueryEngine, type ReadTable } from '#lake';
import { QueryStopped } from '#platform/lake-client';
import { silentLog } from '#platform/log';
import { buildCatalogue, compileSql, defaultLimits, engineSettings, type LogTypeSchema, printQuery } from '#search';
import { rawHostileStatements } from '../../support/hostile-statements.ts';
import { isEmbeddedLake, startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { createSearchBed, testNow } from '../../support/search.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const bundleFolder = path.join(server.folder, 'reader');
const host = {
  client: server.client,
  lakeFolder: path.join(server.folder, 'lake'),
  bundleFolder,
  nodePath: process.execPath,
  uid: process.getuid?.(),
};
const readers = await createReaders(host);
/** As the product has them: some started before their query, under load also new ones. */
const withSpares = await createReaders({
  ...host,
  bundleFolder: path.join(server.folder, 'with-spares'),
  spares: { count: 2, log: silentLog },
});
afterAll(async () => {
  await withSpares.close();
  await server.close();
  await close();
});

const fields: LogTypeSchema['fields'] = [
  { name: 'n', type: 'bigint' },
  { name: 'note', type: 'string' },
];
const act: LogTypeSchema = { logType: 'Custom.Act', description: '', fields };
const hidden: LogTypeSchema = { logType: 'Custom.Hidden', description: '', fields };
const secret = /SECRET of another|SECRET rule|root:x:0/;
const limits = { ...defaultLimits, timeoutSeconds: 5, memoryBytesMax: 600_000_000 };

/** Sends the engine's own SQL down the connection of a reader, past parser, binder, plan and printer. */
async function raw(
  sql: string,
  tables: readonly ReadTable[],
  more: { readonly signal?: AbortSignal; readonly engine?: QueryEngine } = {},
) {
  const lines: string[] = [];
  const signal = more.signal ?? new AbortController().signal;
  const options = { queryId: randomUUID(), settings: engineSettings(limits), signal, tables };
  for await (const some of (more.engine ?? readers).lines(sql, options))
    lines.push(...some.filter((line) => line !== ''));
  return lines;
}

/** Processes whose command line names the folder of these readers. */
const processes = (): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(bundleFolder);
    } catch {
      return false;
    }
  });

const nobodyLeft = () => vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 5000 });

describe.runIf(isEmbeddedLake && readers.walls.isolatesTenants).each(['dedicated', 'pooled'] satisfies LakeLayout[])(
  '%s layout',
  (layout) => {
    const ask = (sql: string, tables: readonly ReadTable[]) => raw(sql, tables, { engine: withSpares });
    const bed = createSearchBed(database, server, layout);
    let [mine, other] = ['', ''];
    /** What the plan of an ordinary question of somebody who may read one log type names. */
    let reads: readonly ReadTable[] = [];
    let others: readonly string[] = [];
    beforeAll(async () => {
      [mine, other] = [await createTenant(database), await createTenant(database)];
      await bed.load(mine, act, [
        { n: 1, note: 'mine' },
        { n: 2, note: 'also mine' },
      ]);
      await bed.load(mine, hidden, [{ n: 3, note: 'SECRET of another role' }]);
      await bed.load(other, act, [{ n: 4, note: 'SECRET of another tenant' }]);
      await bed.loadFamily(mine, 'signals', 'Custom.Act', [{ p_rule_id: 'my rule' }]);
      await bed.loadFamily(mine, 'signals', 'Custom.Hidden', [{ p_rule_id: 'SECRET rule' }]);
      const tables = await database.withTenant(mine, (tx) => listTables(tx, mine));
      const access = { kind: 'ALLOW', logTypes: new Set(['Custom.Act']) } as const;
      const { query } = await compileSql(
        'select a.note, s.p_rule_id from custom_act a, panther_signals.public.correlation_signals s',
        { catalogue: buildCatalogue({ tables, schemas: [act, hidden], access }), now: testNow },
      );
      reads = printQuery(query, { tenantId: mine, rowsMax: 100 }).reads;
      others = (await database.withTenant(other, (tx) => listTables(tx, other))).map(
        (table) => `\`${table.database}\`.\`${table.table}\``,
      );
    });
    const own = () => {
      const table = reads.find(({ table }) => table === 'logs_custom_act');
      return `\`${table?.database}\`.\`${table?.table}\``;
    };

    test('own rows are there, without those of other tenants and log types', async () => {
      expect(reads).toHaveLength(2);
      expect(await ask(`SELECT note FROM ${own()} ORDER BY n`, reads)).toEqual(['["mine"]', '["also mine"]']);
      const signals = own().replace('logs_custom_act', 'signals');
      expect(await ask(`SELECT p_rule_id FROM ${signals}`, reads)).toEqual(['["my rule"]']);
    });

    test(
      'a table that the plan does not name cannot be read, not even one of the same tenant',
      { timeout: 60_000 },
      async () => {
        const hiddenTable = own().replace('custom_act', 'custom_hidden');
        for (const target of [hiddenTable, ...(layout === 'dedicated' ? others : [])])
          await expect(ask(`SELECT * FROM ${target}`, reads), target).rejects.toThrow(QueryStopped);
        await expect(ask(`SELECT * FROM ${own()}`, [])).rejects.toThrow(QueryStopped);
      },
    );

    test('past the fence, no hostile statement takes or changes anything', { timeout: 600_000 }, async () => {
      const all = rawHostileStatements({ own: own(), targets: [...others, 'system.tables', 'system.processes'] });
      expect(all.length).toBeGreaterThan(300);
      // What is not about tables of others is the same in both layouts.
      const statements =
        layout === 'dedicated' ? all : all.filter((sql) => others.some((target) => sql.includes(target)));
      const queue = [...statements];
      const worker = async (): Promise<void> => {
        for (let sql = queue.pop(); sql !== undefined; sql = queue.pop()) {
          const outcome: unknown = await ask(sql, reads).catch((error: unknown) => error);
          if (!(outcome instanceof QueryStopped)) {
            expect(Array.isArray(outcome), `${sql}: ${String(outcome)}`).toBe(true);
            expect((outcome as readonly string[]).join('\n').slice(0, 1_000_000), sql).not.toMatch(secret);
          }
        }
      };
      await Promise.all([worker(), worker(), worker()]);
      expect(existsSync('/tmp/margay-hostile')).toBe(false);
      expect(await ask(`SELECT note FROM ${own()} ORDER BY n`, reads)).toEqual(['["mine"]', '["also mine"]']);
      const target = others[0] ?? '';
      const left = await server.client.rows<{ readonly c: number }>(`SELECT toUInt32(count()) AS c FROM ${target}`);
      expect(left[0]?.c).toBe(layout === 'pooled' ? 3 : 1);
    });

    test('settings that hold a query cannot be changed by it', { timeout: 60_000 }, async () => {
      for (const name of ['readonly', 'max_memory_usage', 'max_execution_time']) {
        const refused = await ask(`SELECT 1 SETTINGS ${name} = 0`, reads).catch((error: unknown) => error);
        expect(refused, name).toMatchObject({ code: 164 });
      }
    });

    test(
      'rows that come while queries run are there at once, and merges disturb nobody',
      { timeout: 120_000 },
      async () => {
        const tenant = await createTenant(database);
        const logType = `Custom.Merged${layout}`;
        const rows = Array.from({ length: 500 }, (_, n) => ({ n, note: 'x' }));
        const seen: number[] = [];
        for (let round = 1; round <= 8; round++) {
          await bed.load(tenant, { ...act, logType }, rows);
          const tables = (await database.withTenant(tenant, (tx) => listTables(tx, tenant))).map(
            ({ database: name, table }): ReadTable => ({
              database: name,
              table,
              where: layout === 'pooled' ? `p_tenant_id = toUUID('${tenant}')` : null,
            }),
          );
          const place = tables.map(({ database: name, table }) => `\`${name}\`.\`${table}\``).join();
          const counting = ask(`SELECT count(), sum(n) FROM ${place}`, tables);
          await server.client.command(`OPTIMIZE TABLE ${place} FINAL`);
          const [line = '[]'] = await counting;
          seen.push(...(JSON.parse(line) as readonly number[]));
        }
        expect(seen).toEqual(
          Array.from({ length: 8 }, (_, round) => [(round + 1) * 500, (round + 1) * 124_750]).flat(),
        );
      },
    );
  },
);

test.runIf(isEmbeddedLake)(
  'without an outer wall the rights of the engine still hold',
  { timeout: 60_000 },
  async () => {
    const unwalled = await createReaders({ ...host, wallKinds: [] });
    expect(unwalled.walls.isolatesTenants).toBe(false);
    const ask = async (sql: string): Promise<readonly string[]> => {
      const lines: string[] = [];
      const options = {
        queryId: sql,
        settings: engineSettings(limits),
        signal: new AbortController().signal,
        tables: [],
      };
      for await (const some of unwalled.lines(sql, options)) lines.push(...some.filter((line) => line !== ''));
      return lines;
    };
    expect(await ask('SELECT 1')).toEqual(['[1]']);
    for (const sql of [
      "SELECT * FROM file('/etc/passwd', 'LineAsString')",
      "SELECT * FROM url('http://127.0.0.1/', 'CSV')",
      'SELECT name FROM system.users',
    ])
      await expect(ask(sql), sql).rejects.toMatchObject({ code: 497 });
    for (const sql of ['CREATE DATABASE x', 'CREATE TABLE default.x (a Int8) ENGINE = Memory', 'SYSTEM RELOAD CONFIG'])
      await expect(ask(sql), sql).rejects.toThrow(QueryStopped);
    expect(readdirSync(bundleFolder).filter((name) => name.startsWith('scratch-'))).toEqual([]);
  },
);

describe.runIf(isEmbeddedLake && readers.walls.isolatesTenants)('a reader', () => {
  test('that is given up is gone, whatever it is doing', { timeout: 30_000 }, async () => {
    const controller = new AbortController();
    const endless = raw('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1', [], {
      signal: controller.signal,
    });
    const ended = expect(endless).rejects.toThrow(QueryStopped);
    await vi.waitFor(() => expect(processes().length).toBeGreaterThan(0), { timeout: 5000 });
    controller.abort();
    await ended;
    await nobodyLeft();
  });

  test('gives rows of any size, and one that reads no more than it wants', { timeout: 60_000 }, async () => {
    const [wide] = await raw("SELECT repeat(repeat('x', 40000), 1000)", []);
    expect(wide?.length).toBe(40_000_004);
    const many = await raw("SELECT number, repeat('y', 2000) FROM numbers(60000) ORDER BY number DESC", []);
    expect([many.length, many[0]?.slice(0, 8), many.at(-1)?.slice(0, 4)]).toEqual([60_000, '[59999, ', '[0, ']);
  });

  test('ends when nobody reads on', { timeout: 30_000 }, async () => {
    const options = {
      queryId: 'left',
      settings: engineSettings(limits),
      signal: new AbortController().signal,
      tables: [],
    };
    for await (const lines of readers.lines('SELECT number FROM numbers(100000000)', options))
      if (lines.length > 0) break;
    await nobodyLeft();
    expect(await readers.progress('left')).toEqual({ readRows: 0, readBytes: 0 });
  });

  test(
    'says which limit ended it: time, the memory of a query, the memory of the process',
    { timeout: 60_000 },
    async () => {
      await expect(raw('SELECT count() FROM numbers(1000000000000)', [])).rejects.toMatchObject({ code: 159 });
      await expect(raw('SELECT groupArray(number) FROM numbers(1000000000)', [])).rejects.toMatchObject({ code: 241 });
      const strict = await createReaders({ ...host, ownBytes: 30_000_000 });
      const read = async (): Promise<void> => {
        const settings = { max_execution_time: 20, max_memory_usage: '1000000' };
        const options = { queryId: 'large', settings, signal: new AbortController().signal, tables: [] };
        for await (const _lines of strict.lines('SELECT sleep(3), sleep(3)', options));
      };
      await expect(read()).rejects.toMatchObject({ code: 241, message: expect.stringContaining('was ended') });
      await nobodyLeft();
    },
  );

  test('sees neither network, nor files of the host, nor the environment', { timeout: 60_000 }, async () => {
    // The process that bubblewrap leaves inside has the PATH that the wall's tool is given, and nothing else.
    for (const file of ['/etc/passwd', '/proc/1/environ', path.join(server.folder, 'lake/engine.xml')]) {
      const answer = await raw(`SELECT file('${file}')`, []).catch((error: unknown) => error);
      if (Array.isArray(answer)) expect(answer.join(''), file).not.toMatch(/root:x|MARGAY|HOME=|USER=|max_server/);
      else expect(answer, file).toBeInstanceOf(QueryStopped);
    }
    expect((await raw(`SELECT file('/proc/self/net/dev')`, [])).join('')).not.toMatch(/eth|ens|enp/);
  });
});
