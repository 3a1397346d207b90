import { createHash } from 'node:crypto';
import { parquetMetadata } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import {
  type ExportedFile,
  exportedTables,
  type ExportManifest,
  exportParquet,
  type ImportOptions,
  type LakeLayout,
  listTables,
} from '#lake';
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
    { name: 'small', type: 'int' },
    { name: 'share', type: 'float' },
    { name: 'ok', type: 'boolean' },
    { name: 'seen', type: 'timestamp' },
    { name: 'text', type: 'string' },
    { name: 'who', type: 'object' },
    { name: 'any', type: 'json' },
    { name: 'tags', type: 'array', element: { type: 'string' } },
    { name: 'counts', type: 'array', element: { type: 'bigint' } },
    { name: 'things', type: 'array', element: { type: 'object' } },
  ],
};
const events = [
  {
    at: '2026-06-15T10:05:00.123Z',
    p_row_id: 'a1',
    n: 9007199254740993n.toString(),
    small: -7,
    share: 0.1,
    ok: false,
    seen: '2025-01-02T03:04:05.678Z',
    text: 'line\n"quoted" \\ and é',
    who: { name: 'dana', 'dotted.key': 1, deep: { list: [1, { x: null, y: 'z' }], big: 12345678901 } },
    any: '[1,"two"]',
    tags: ['x', "it's"],
    counts: [1, 9007199254740n.toString()],
    things: [{ a: 1 }, { b: { c: ['d'] } }],
    p_any_ip_addresses: ['10.0.0.1'],
    p_extra: '{"unknown":{"kept":true}}',
  },
  { at: '2026-06-15T10:55:00Z', p_row_id: "it's \\ odd", n: 2 },
  { at: '2026-06-15T11:00:00Z', p_row_id: 'a3', n: 3, text: 'null' },
];
const range = { from: new Date('2026-06-15T00:00:00Z'), to: new Date('2026-06-16T00:00:00Z') };
const none = { files: 0, imported: 0, alreadyThere: 0, tooOld: 0, refused: 0 };

describe.each(['dedicated', 'pooled'] satisfies LakeLayout[])('%s layout', (layout) => {
  const bed = createSearchBed(database, server, layout);
  const tablesOf = (tenantId: string) => database.withTenant(tenantId, (tx) => listTables(tx, tenantId));

  /** A tenant with events, signals and an export of them. */
  async function exported(rows: Parameters<typeof bed.load>[2] = events) {
    const tenantId = await createTenant(database);
    await bed.load(tenantId, schema, rows);
    await bed.loadFamily(tenantId, 'signals', 'Custom.Act', [
      { at: '2026-06-15T10:00:00Z', p_row_id: 's1', p_rule_id: 'r', p_event: '{"n":1}' },
    ]);
    const files = new Map<string, Buffer>();
    const tables = await tablesOf(tenantId);
    const written = await exportParquet(
      {
        client: server.client,
        files: {
          put: async (path, bytes) => void files.set(path, bytes),
          delete: async (path) => void files.delete(path),
        },
      },
      { tables, ...range, known: [], onFile: () => undefined },
    );
    const manifest: ExportManifest = { tables: exportedTables(tables), files: written };
    return { tenantId, files, manifest };
  }
  type Exported = Awaited<ReturnType<typeof exported>>;

  /** Paths that the next export writes. */
  async function exportAgain({ tenantId, files, manifest }: Exported): Promise<readonly string[]> {
    const written: string[] = [];
    const target = {
      put: async (path: string, bytes: Buffer) => void files.set(path, bytes),
      delete: async (path: string) => void files.delete(path),
    };
    const tables = await tablesOf(tenantId);
    const onFile = ({ path }: ExportedFile) => void written.push(path);
    await exportParquet({ client: server.client, files: target }, { tables, ...range, known: manifest.files, onFile });
    return written;
  }

  async function run({ tenantId, files, manifest }: Exported, more: Partial<ImportOptions> = {}) {
    const reasons: string[] = [];
    const counts = await bed.lake.importParquet({
      tenantId,
      manifest,
      read: async (path) => {
        const bytes = files.get(path);
        if (bytes === undefined) throw new Error(`no file ${path}`);
        return bytes;
      },
      ...range,
      keptSince: new Date('2026-01-01T00:00:00Z'),
      onFile: () => undefined,
      onRefused: (_file: ExportedFile, reason: string) => reasons.push(reason),
      ...more,
    });
    return { counts, reasons };
  }

  /** Every row of the tenant, as the lake prints it. */
  async function rowsOf(tenantId: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const { database: name, table } of await tablesOf(tenantId)) {
      const own = layout === 'pooled' ? `WHERE p_tenant_id = '${tenantId}'` : '';
      const hidden = layout === 'pooled' ? 'EXCEPT p_tenant_id' : '';
      const rows = await server.client.rows(
        `SELECT * ${hidden} FROM \`${name}\`.\`${table}\` ${own} ORDER BY p_event_time, p_row_id`,
      );
      lines.push(...rows.map((row) => JSON.stringify(row)));
    }
    return lines;
  }
  async function erase(tenantId: string, which = '1') {
    for (const { database: name, table } of await tablesOf(tenantId))
      await server.client.command(
        `ALTER TABLE \`${name}\`.\`${table}\` DELETE WHERE ${which}${layout === 'pooled' ? ` AND p_tenant_id = '${tenantId}'` : ''} SETTINGS mutations_sync = 2`,
      );
  }

  test('erased rows come back as they were, once, however often they are imported and erased', async () => {
    const bed = await exported();
    const before = await rowsOf(bed.tenantId);
    expect(before).toHaveLength(4);
    expect((await run(bed)).counts).toEqual({ ...none, files: 3, alreadyThere: 4 });
    for (let round = 0; round < 2; round++) {
      await erase(bed.tenantId);
      expect(await rowsOf(bed.tenantId)).toEqual([]);
      expect((await run(bed)).counts).toEqual({ ...none, files: 3, imported: 4 });
      expect(await rowsOf(bed.tenantId)).toEqual(before);
    }
    expect((await run(bed)).counts).toEqual({ ...none, files: 3, alreadyThere: 4 });
    await erase(bed.tenantId, "p_row_id = 'a1'");
    expect(await exportAgain(bed)).toEqual([]);
    const [first, second] = await Promise.all([run(bed), run(bed)]);
    expect(first.counts.imported + second.counts.imported).toBe(1);
    expect(await rowsOf(bed.tenantId)).toEqual(before);
  });

  test('a lake without the tables gets them, and rows of others with the same ids are no hindrance', async () => {
    const source = await exported();
    const tenantId = await createTenant(database);
    expect((await run({ ...source, tenantId })).counts).toEqual({ ...none, files: 3, imported: 4 });
    expect(await rowsOf(tenantId)).toEqual(await rowsOf(source.tenantId));
  });

  test('a large file is read in groups, and only the missing rows of each are written', async () => {
    const bed = await exported(
      Array.from({ length: 41_000 }, (_, n) => ({ at: `2026-06-15T10:${String(n % 60).padStart(2, '0')}:00Z`, n })),
    );
    const bytes = bed.files.get(bed.manifest.files[0]?.path ?? '') ?? Buffer.alloc(0);
    expect(parquetMetadata(Uint8Array.from(bytes).buffer).row_groups.length).toBeGreaterThan(1);
    await erase(bed.tenantId, "toUInt32OrZero(p_row_id) % 3 = 0 AND p_row_id != 's1'");
    expect((await run(bed)).counts).toEqual({ ...none, files: 2, imported: 13_667, alreadyThere: 27_334 });
    const rows = await rowsOf(bed.tenantId);
    expect([rows.length, new Set(rows).size]).toEqual([41_001, 41_001]);
  });

  test('hours outside the range stay where they are, and hours past retention are counted', async () => {
    const bed = await exported();
    await erase(bed.tenantId);
    const hour = new Date('2026-06-15T11:00:00Z');
    expect((await run(bed, { keptSince: hour })).counts).toEqual({ ...none, files: 3, imported: 1, tooOld: 3 });
    expect((await run(bed, { to: hour })).counts).toEqual({ ...none, files: 2, imported: 3 });
  });

  test('a column that has another type now refuses its files and says which column', async () => {
    const source = await exported();
    const tenantId = await createTenant(database);
    await bed.load(tenantId, { ...schema, fields: [{ name: 'n', type: 'string' }] }, [{ p_row_id: 'old', n: 'text' }]);
    const { counts, reasons } = await run({ ...source, tenantId });
    expect(counts).toEqual({ ...none, files: 3, imported: 1, refused: 3 });
    expect(reasons).toHaveLength(2);
    expect(reasons[0]).toContain('Column "n" is bigint in the export, and "n", string, in the lake');
  });

  /** The same export with other bytes in one of its files, of which the manifest knows. */
  function withBytes(source: Exported, file: ExportedFile, bytes: Buffer): Exported {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const files = source.manifest.files.map((one) => (one.path === file.path ? { ...one, sha256 } : one));
    const manifest = { ...source.manifest, files };
    return { ...source, manifest, files: new Map(source.files).set(file.path, bytes) };
  }
  const fileIn = ({ manifest }: Exported, part: string): ExportedFile => {
    const file = manifest.files.find(({ path }) => path.includes(part));
    if (file === undefined) throw new Error(`no file in ${part}`);
    return file;
  };
  const bytesIn = (source: Exported, part: string): Buffer =>
    source.files.get(fileIn(source, part).path) ?? Buffer.alloc(0);
  /** A file of the hour of 11 with a row for each id, and a text column beside what every row has. */
  const writtenFile = (ids: readonly string[], column: string, text: string): Buffer => {
    const at = ids.map(() => new Date('2026-06-15T11:30:00Z'));
    const columnData = [
      { name: 'p_row_id', data: [...ids], type: 'STRING' as const },
      { name: 'p_log_type', data: ids.map(() => 'Custom.Act'), type: 'STRING' as const },
      { name: 'p_event_time', data: at, type: 'TIMESTAMP' as const },
      { name: 'p_parse_time', data: at, type: 'TIMESTAMP' as const },
      { name: column, data: ids.map(() => text), type: 'STRING' as const },
    ];
    return Buffer.from(parquetWriteBuffer({ columnData }));
  };

  test('a row that the export has twice, in one file or in a file named twice, comes once', async () => {
    const source = await exported();
    const before = await rowsOf(source.tenantId);
    await erase(source.tenantId);
    const { files } = source.manifest;
    const twice = { ...source, manifest: { ...source.manifest, files: [...files, ...files] } };
    expect((await run(twice)).counts).toEqual({ ...none, files: 6, imported: 4, alreadyThere: 4 });
    expect(await rowsOf(source.tenantId)).toEqual(before);
    const doubled = withBytes(source, fileIn(source, 'hour=11'), writtenFile(['d', 'd', 'e'], 'text', 'same'));
    expect((await run(doubled)).counts).toEqual({ ...none, files: 3, imported: 2, alreadyThere: 4 });
    expect(await rowsOf(source.tenantId)).toHaveLength(6);
  });

  test('a file that was cut off ends the import with its name, and the whole one is imported afterwards', async () => {
    const source = await exported();
    const before = await rowsOf(source.tenantId);
    await erase(source.tenantId);
    const file = fileIn(source, 'hour=10');
    const whole = bytesIn(source, 'hour=10');
    const hole = Buffer.from(whole).fill(0, 4, Math.floor(whole.length / 2));
    for (const bytes of [whole.subarray(0, whole.length / 2), whole.subarray(0, 3), Buffer.alloc(0), hole]) {
      const refused: unknown = await run(withBytes(source, file, bytes)).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'conflict',
        publicMessage: expect.stringMatching(/hour=10\/part-0000\.parquet" (is no Parquet file|holds)/),
      });
    }
    await run(source);
    expect(await rowsOf(source.tenantId)).toEqual(before);
  });

  test('a file of another log type or hour is refused before a row of it is written', async () => {
    const source = await exported();
    const other = writtenFile(['o'], 'text', 'x');
    const before = await rowsOf(source.tenantId);
    const ofOther = Buffer.from(other.toString('latin1').replaceAll('Custom.Act', 'Custom.Foo'), 'latin1');
    await expect(run(withBytes(source, fileIn(source, 'hour=11'), ofOther))).rejects.toMatchObject({
      publicMessage: expect.stringContaining('holds rows of the log type "Custom.Foo", not of "Custom.Act"'),
    });
    const moved = withBytes(source, fileIn(source, 'log_type=Custom.Act/dt=2026-06-15/hour=10'), other);
    await expect(run(moved)).rejects.toMatchObject({
      publicMessage: expect.stringContaining('holds rows that arrived at 2026-06-15T11:30:00.000Z, outside the hour'),
    });
    expect(await rowsOf(source.tenantId)).toEqual(before);
  });

  test('columns that the schema has no more come back; one that nobody knows refuses the file', async () => {
    const source = await exported();
    const tenantId = await createTenant(database);
    await bed.load(tenantId, { ...schema, fields: [{ name: 'n', type: 'bigint' }] }, [{ p_row_id: 'new', n: 1 }]);
    await erase(tenantId);
    expect((await run({ ...source, tenantId })).counts).toEqual({ ...none, files: 3, imported: 4 });
    expect((await rowsOf(tenantId)).map((row) => JSON.parse(row) as object)).toEqual(
      (await rowsOf(source.tenantId)).map((row) => JSON.parse(row) as object),
    );
    const strange = withBytes(source, fileIn(source, 'hour=11'), writtenFile(['d'], 'gone', 'x'));
    const { counts, reasons } = await run(strange);
    expect(counts).toEqual({ ...none, files: 3, alreadyThere: 3, refused: 1 });
    expect(reasons).toEqual(['Column "gone" is in the file, but not among those of its table in the manifest']);
  });

  test('a file cannot say whose its rows are, nor hold more rows in the text of a column', async () => {
    const source = await exported();
    const victim = await exported();
    const theirs = await rowsOf(victim.tenantId);
    const file = fileIn(source, 'hour=11');
    const named = withBytes(source, file, writtenFile(['x'], 'p_tenant_id', victim.tenantId));
    expect((await run(named)).reasons).toEqual([expect.stringContaining('Column "p_tenant_id" is in the file')]);
    const row = `"p_row_id":"x","p_log_type":"Custom.Act","p_event_time":"2026-06-15T11:30:00Z","p_parse_time":"2026-06-15T11:30:00Z"`;
    for (const text of [
      `{}}{"p_tenant_id":"${victim.tenantId}",${row},"who":{}`,
      `{},"p_tenant_id":"${victim.tenantId}","any":""`,
      `{}}\n{"p_tenant_id":"${victim.tenantId}",${row},"who":{}`,
    ])
      await expect(run(withBytes(source, file, writtenFile(['x'], 'who', text)))).rejects.toMatchObject({
        publicMessage: expect.stringContaining('holds something that is no JSON in the column "who"'),
      });
    expect((await run(withBytes(source, file, writtenFile(['y'], 'who', '{\n"name":\n"dana"}')))).counts).toEqual({
      ...none,
      files: 3,
      imported: 1,
      alreadyThere: 3,
    });
    expect(await rowsOf(victim.tenantId)).toEqual(theirs);
    expect(await rowsOf(source.tenantId)).toHaveLength(5);
  });

  test('a damaged file, a path of no export and a file of no table are refused', async () => {
    const bed = await exported();
    const [file] = bed.manifest.files;
    if (file === undefined) throw new Error('nothing was exported');
    const swapped = new Map(bed.files).set(file.path, Buffer.from('PAR1'));
    await expect(run({ ...bed, files: swapped })).rejects.toThrow('is not the file that the manifest names');
    const elsewhere = { ...file, path: `../../other/exports/${file.path}` };
    await expect(run({ ...bed, manifest: { ...bed.manifest, files: [elsewhere] } })).rejects.toThrow(
      'is no path of an export',
    );
    await expect(run({ ...bed, manifest: { ...bed.manifest, tables: [] } })).rejects.toThrow('belongs to no table');
  });
});
