import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createSchemaService } from '#ingestion';
import { systemClock } from '#platform/clock';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const schemas = createSchemaService({ database, audit: createAuditRecorder({ database, clock: systemClock }) });
const specOf = (name: string, note = ''): string =>
  `schema: ${name}\ndescription: "${note}"\nfields:\n  - { name: id, type: string, required: true }\n`;
const save = (tenantId: string, name: string, spec: string, revision = 0) =>
  schemas.save(systemActor(tenantId, 'test', '1'.repeat(32)), { name, spec, revision });

/** As many as an upload would make, written at once. */
const upload = (tenantId: string, count: number, spec: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.execute(
      `INSERT INTO log_schemas (tenant_id, name, revision, version, spec)
       SELECT $1, 'Custom.Uploaded.S' || number, 1, 1, $3 FROM generate_series(1, $2::int) AS number`,
      [tenantId, count, spec],
    ),
  );

test('a tenant may have 2,000 schemas; the next is refused with a reason, and a change of one is not', async () => {
  const [loud, quiet] = [await createTenant(database), await createTenant(database)];
  await save(loud, 'Custom.First', specOf('Custom.First'));
  await upload(loud, 1999, specOf('Custom.Uploaded'));
  await expect(save(loud, 'Custom.Last', specOf('Custom.Last'))).rejects.toMatchObject({
    code: 'bad_input',
    field: 'name',
    publicMessage: expect.stringContaining('2000 is the most') as string,
  });
  await expect(save(loud, 'Custom.First', specOf('Custom.First', 'again'), 1)).resolves.toMatchObject({ revision: 2 });
  await expect(save(quiet, 'Custom.Mine', specOf('Custom.Mine'))).resolves.toMatchObject({ revision: 1 });
  const listed = await schemas.list(systemActor(quiet, 'test', '1'.repeat(32)), { isManaged: false });
  expect(listed.map(({ name }) => name)).toEqual(['Custom.Mine']);
});

test('schemas of a tenant may not be longer than 32 MiB together', async () => {
  const tenantId = await createTenant(database);
  await upload(tenantId, 33, 'x'.repeat(1_000_000));
  await expect(save(tenantId, 'Custom.Long', specOf('Custom.Long', 'x'.repeat(900_000)))).rejects.toMatchObject({
    code: 'bad_input',
    field: 'spec',
  });
  await expect(save(tenantId, 'Custom.Short', specOf('Custom.Short'))).resolves.toMatchObject({ revision: 1 });
});
