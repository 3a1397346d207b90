import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLake, type LakeLayout, listTables, type RowsForLake } from '#lake';
import { systemIds } from '#platform/ids';
import { silentLog } from '#platform/log';
import { createLocalObjectStore } from '#platform/objects';
import { isEmbeddedLake, startTestLake } from '../../support/lake.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
const server = await startTestLake();
const { client } = server;
const objects = createLocalObjectStore(path.join(server.folder, 'objects'));
afterAll(async () => {
  await server.close();
  await close();
});

const window = { from: new Date('2025-01-01T00:00:00Z'), to: new Date('2025-12-31T00:00:00Z') };
const columns = [
  { name: 'n', type: 'bigint' },
  { name: 'o', type: 'object' },
  { name: 'j', type: 'json' },
] as const;
const row = (id: number, fields: object = {}) =>
  JSON.stringify({
    p_log_type: 'Custom.T',
    p_row_id: String(id).padStart(32, '0'),
    p_event_time: '2025-05-05T10:00:00.123Z',
    p_parse_time: new Date().toISOString(),
    p_source_id: 's',
    p_source_label: 'l',
    p_any_ip_addresses: ['10.0.0.1'],
    ...fields,
  });
const rowsOf = (...lines: readonly string[]): RowsForLake => ({
  family: 'logs',
  logType: 'Custom.T',
  columns,
  rows: Buffer.from(lines.map((line) => `${line}\n`).join('')),
  count: lines.length,
});

describe.each(['dedicated', 'pooled'] satisfies LakeLayout[])('%s layout', (layout) => {
  const lake = createLake({ database, client, objects, ids: systemIds, log: silentLog, layout });
  const put = async (tenantId: string, batchId: string, ...rows: readonly RowsForLake[]) => {
    const staged = await lake.stage(tenantId, batchId, rows);
    await database.withTenant(tenantId, (tx) => staged.register(tx));
  };
  const load = async () => {
    await database.withSystem('tests do not wait a second between loads', (tx) =>
      tx.execute('UPDATE lake_tables SET last_load_at = NULL'),
    );
    return lake.loader.round();
  };

  test('rows come back as they went in, and only to their tenant', async () => {
    const [a, b] = [await createTenant(database), await createTenant(database)];
    await put(a, randomUUID(), rowsOf(row(1, { o: { x: 1, 'd.e': 2 }, j: [1, 'x'], p_extra: { k: true } })));
    await put(b, randomUUID(), rowsOf(row(2)));
    expect(await load()).toBe(2);
    const [first, ...rest] = await lake.reader.listEvents(a, 'Custom.T', window, 10);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      p_row_id: '1'.padStart(32, '0'),
      o: { x: 1 },
      j: '[1,"x"]',
      p_extra: '{"k":true}',
      p_any_ip_addresses: ['10.0.0.1'],
    });
    expect(first).not.toHaveProperty('p_tenant_id');
    expect(await lake.reader.countEvents(b, window)).toEqual({ 'Custom.T': 1 });
  });

  test('integers beyond 2^53 are unchanged', async () => {
    const tenantId = await createTenant(database);
    await put(tenantId, randomUUID(), rowsOf(row(1).replace('"p_log_type"', '"n":9007199254740993,"p_log_type"')));
    await load();
    expect((await lake.reader.listEvents(tenantId, 'Custom.T', window, 1))[0]?.['n']).toBe('9007199254740993');
  });

  test('a table that was packed in an earlier way packs new rows as new tables do, and keeps its rows', async () => {
    const tenantId = await createTenant(database);
    await put(tenantId, randomUUID(), rowsOf(row(1)));
    await load();
    const { database: name, table } = await database.withTenant(tenantId, async (tx) => {
      await tx.execute('UPDATE lake_tables SET packing = 1 WHERE tenant_id = $1', [tenantId]);
      const [found] = await listTables(tx, tenantId);
      if (found === undefined) throw new Error('no table');
      return found;
    });
    const codecs = async () =>
      (
        await client.rows<{ name: string; codec: string }>(
          'SELECT name, compression_codec AS codec FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY name',
          { d: name, t: table },
        )
      ).map(({ name, codec }) => `${name} ${codec}`);
    const packed = await codecs();
    expect(packed).toContain('n CODEC(T64, ZSTD(1))');
    expect(
      packed.filter((line) => !line.endsWith('CODEC(ZSTD(1))') && !/^(n|p_.*_time|p_tenant_id) /.test(line)),
    ).toEqual([]);
    await client.command(`ALTER TABLE ${name}.${table} MODIFY COLUMN n CODEC(LZ4), MODIFY COLUMN o CODEC(LZ4)`);
    expect(await codecs()).not.toEqual(packed);

    const later = createLake({ database, client, objects, ids: systemIds, log: silentLog, layout });
    const staged = await later.stage(tenantId, randomUUID(), [rowsOf(row(2, { n: 5 }))]);
    await database.withTenant(tenantId, (tx) => staged.register(tx));
    await load();
    expect(await codecs()).toEqual(packed);
    expect(await later.reader.countEvents(tenantId, window)).toEqual({ 'Custom.T': 2 });
  });

  test('the chunks of many batches become one load, and a batch that is staged again is not written again', async () => {
    const tenantId = await createTenant(database);
    const batches = Array.from({ length: 5 }, () => randomUUID());
    for (const [index, batchId] of [...batches, ...batches].entries())
      await put(tenantId, batchId, rowsOf(row(index % 5)));
    expect(await load()).toBe(1);
    expect(await load()).toBe(0);
    expect(await lake.reader.countEvents(tenantId, window)).toEqual({ 'Custom.T': 5 });
    expect(await lake.countUnloaded(tenantId, batches[0] ?? '')).toBe(0);
  });

  test('a load that was written but not marked is not written twice', async () => {
    const tenantId = await createTenant(database);
    await put(tenantId, randomUUID(), rowsOf(row(1), row(2)));
    let isCrashing = true;
    const crashing = createLake({
      database,
      client: {
        ...client,
        insert: async (...request) => {
          await client.insert(...request);
          if (isCrashing) throw new Error('the answer was lost');
        },
      },
      objects,
      ids: systemIds,
      log: silentLog,
      layout,
    });
    await database.withSystem('tests do not wait', (tx) => tx.execute('UPDATE lake_tables SET last_load_at = NULL'));
    expect(await crashing.loader.round()).toBe(0);
    isCrashing = false;
    await database.withSystem('the pause is over', (tx) => tx.execute('UPDATE lake_loads SET lease_until = NULL'));
    expect(await crashing.loader.round()).toBe(1);
    expect(await lake.reader.countEvents(tenantId, window)).toEqual({ 'Custom.T': 2 });
  });

  test('a load whose worker is killed is free again within a minute', async () => {
    const tenantId = await createTenant(database);
    await put(tenantId, randomUUID(), rowsOf(row(1)));
    let wasAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (wasAsked = resolve));
    const silent = { ...client, insert: () => (wasAsked(), new Promise<never>(() => undefined)) };
    const dying = createLake({ database, client: silent, objects, ids: systemIds, log: silentLog, layout });
    await database.withSystem('tests do not wait', (tx) => tx.execute('UPDATE lake_tables SET last_load_at = NULL'));
    void dying.loader.round();
    await asked;
    await database.withSystem('a minute goes by', (tx) =>
      tx.execute("UPDATE lake_loads SET lease_until = lease_until - interval '60 seconds'"),
    );
    expect(await load()).toBe(1);
    expect(await lake.reader.countEvents(tenantId, window)).toEqual({ 'Custom.T': 1 });
  });

  test('a row that the lake refuses is kept as a failure and the others land', async () => {
    const tenantId = await createTenant(database);
    const lines = Array.from({ length: 9 }, (_, index) => row(index));
    lines.splice(4, 0, row(99, { n: 'not a number' }));
    await put(tenantId, randomUUID(), rowsOf(...lines));
    expect(await load()).toBe(1);
    expect(await lake.reader.countEvents(tenantId, window)).toEqual({ 'Custom.T': 9 });
    const failures = await lake.reader.listFailures(tenantId, undefined, window, 10);
    expect(failures).toMatchObject([{ p_row_id: '99'.padStart(32, '0') }]);
    expect(failures[0]?.['p_payload']).toContain('not a number');
  });

  test('a schema that grew adds columns to the table that is there', async () => {
    const tenantId = await createTenant(database);
    await put(tenantId, randomUUID(), rowsOf(row(1)));
    await load();
    const grown = {
      ...rowsOf(row(2, { added: 'x' })),
      columns: [...columns, { name: 'added', type: 'string' } as const],
    };
    await put(tenantId, randomUUID(), grown);
    await load();
    const rows = await lake.reader.listEvents(tenantId, 'Custom.T', window, 10);
    expect(rows.map((item) => item['added']).filter(Boolean)).toEqual(['x']);
  });

  test('events of an alert are paged without gaps', async () => {
    const tenantId = await createTenant(database);
    const matches = Array.from({ length: 7 }, (_, index) => row(index, { p_alert_id: 'A', p_event: { index } }));
    await put(tenantId, randomUUID(), {
      family: 'rule_matches',
      logType: '',
      rows: Buffer.from(`${matches.join('\n')}\n`),
      count: 7,
    });
    await load();
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await lake.reader.alertEvents(tenantId, { id: 'A', family: 'rule_matches' }, window, {
        size: 3,
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page.rows.map((item) => item['index']));
      cursor = page.endCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

test.skipIf(!isEmbeddedLake)('a wrong secret and a second lake on the same folder are refused', async () => {
  await expect(server.start()).rejects.toThrow('could not open its data folder');
  const response = await fetch(server.url, {
    method: 'POST',
    body: 'SELECT 1',
    headers: { 'X-ClickHouse-Key': 'wrong' },
  });
  expect(response.status).toBe(401);
});
