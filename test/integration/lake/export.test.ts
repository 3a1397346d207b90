import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { describe, expect, test } from 'vitest';
import { type ExportedFile, exportParquet, type LakeLayout, listTables } from '#lake';
import type { LogTypeSchema } from '#search';
import { createTenant } from '../../support/postgres.ts';
import { createSearchBed } from '../../support/search.ts';
import { startTestStores } from '../../support/stores.ts';

const { database, server } = await startTestStores();

const schema: LogTypeSchema = {
  logType: 'Custom.Act',
  description: '',
  fields: [
    { name: 'n', type: 'bigint' },
    { name: 'who', type: 'object' },
    { name: 'tags', type: 'array', element: { type: 'string' } },
    { name: 'things', type: 'array', element: { type: 'object' } },
  ],
};
const range = { from: new Date('2026-06-15T00:00:00Z'), to: new Date('2026-06-16T00:00:00Z') };

describe.each(['dedicated', 'pooled'] satisfies LakeLayout[])('%s layout', (layout) => {
  const bed = createSearchBed(database, server, layout);
  /** Exports once more, and says what was written. */
  async function run(tenantId: string, files: Map<string, Buffer>, known: readonly ExportedFile[]) {
    const written: string[] = [];
    const all = await exportParquet(
      {
        client: server.client,
        files: {
          put: async (path, bytes) => void files.set(path, bytes),
          delete: async (path) => void files.delete(path),
        },
      },
      {
        tables: await database.withTenant(tenantId, (tx) => listTables(tx, tenantId)),
        ...range,
        known,
        onFile: ({ path }) => written.push(path),
      },
    );
    return { all, written };
  }
  const rowsOf = (bytes: Buffer | undefined) =>
    parquetReadObjects({ file: Uint8Array.from(bytes ?? []).buffer, compressors }) as Promise<
      Record<string, unknown>[]
    >;

  test('an hour of a table is a file in a folder of its own, with own rows only, and written once', async () => {
    const [tenant, other] = [await createTenant(database), await createTenant(database)];
    await bed.load(tenant, schema, [
      { at: '2026-06-15T10:05:00Z', n: 1, who: { name: 'dana' }, tags: ['x'], things: [{ a: 1 }] },
      { at: '2026-06-15T10:55:00Z', n: 9007199254740993n.toString() },
      { at: '2026-06-15T11:00:00Z', n: 3 },
      { at: '2026-06-16T00:00:00Z', n: 4 },
    ]);
    await bed.load(other, schema, [{ at: '2026-06-15T10:30:00Z', n: 99 }]);
    await bed.loadFamily(tenant, 'signals', 'Custom.Act', [{ at: '2026-06-15T10:00:00Z', p_rule_id: 'r' }]);
    const files = new Map<string, Buffer>();
    const first = await run(tenant, files, []);
    const folder = 'database=panther_logs/table=custom_act/log_type=Custom.Act/dt=2026-06-15';
    const signals = 'database=panther_signals/table=correlation_signals/log_type=all/dt=2026-06-15';
    expect(first.all.map(({ path, rows }) => [path, rows])).toEqual([
      [`${folder}/hour=10/part-0000.parquet`, 2],
      [`${folder}/hour=11/part-0000.parquet`, 1],
      [`${signals}/hour=10/part-0000.parquet`, 1],
    ]);
    const rows = await rowsOf(files.get(`${folder}/hour=10/part-0000.parquet`));
    expect(rows.map(({ n }) => n)).toEqual([1n, 9007199254740993n]);
    expect(rows[0]).toMatchObject({
      who: '{"name":"dana"}',
      tags: ['x'],
      things: ['{"a":1}'],
      p_event_time: new Date('2026-06-15T10:05:00Z'),
      p_log_type: 'Custom.Act',
    });
    expect(rows[0]).not.toHaveProperty('p_tenant_id');

    expect((await run(tenant, files, first.all)).written).toEqual([]);
    await bed.load(tenant, schema, [{ at: '2026-06-15T11:30:00Z', n: 5 }]);
    const third = await run(tenant, files, first.all);
    expect(third.written).toEqual([`${folder}/hour=11/part-0000.parquet`]);
    expect((await rowsOf(files.get(third.written[0] ?? ''))).map(({ n }) => n)).toEqual([3n, 5n]);
    expect(third.all).toHaveLength(3);
  });
});
