import type { TenantTx } from '#platform/postgres';

/** A schema of the tenant's own, as stored. */
export type StoredSchema = {
  readonly name: string;
  readonly revision: number;
  readonly version: number;
  readonly spec: string;
  readonly description: string;
  readonly referenceUrl: string;
  readonly isFieldDiscoveryEnabled: boolean;
  readonly isArchived: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type SchemaRow = {
  name: string;
  revision: number;
  version: number;
  spec: string;
  description: string;
  reference_url: string;
  is_field_discovery_enabled: boolean;
  is_archived: boolean;
  created_at: Date;
  updated_at: Date;
};

const toSchema = (row: SchemaRow): StoredSchema => ({
  name: row.name,
  revision: row.revision,
  version: row.version,
  spec: row.spec,
  description: row.description,
  referenceUrl: row.reference_url,
  isFieldDiscoveryEnabled: row.is_field_discovery_enabled,
  isArchived: row.is_archived,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export async function findSchema(tx: TenantTx, name: string): Promise<StoredSchema | undefined> {
  const rows = await tx.query<SchemaRow>('SELECT * FROM log_schemas WHERE tenant_id = $1 AND name = $2', [
    tx.tenantId,
    name,
  ]);
  return rows[0] && toSchema(rows[0]);
}

export async function listOwnSchemas(tx: TenantTx): Promise<readonly StoredSchema[]> {
  const rows = await tx.query<SchemaRow>('SELECT * FROM log_schemas WHERE tenant_id = $1 ORDER BY name', [tx.tenantId]);
  return rows.map(toSchema);
}

/** How many schemas of its own a tenant has, and how long their texts are together. */
export async function measureOwnSchemas(tx: TenantTx): Promise<{ readonly count: number; readonly bytes: number }> {
  const rows = await tx.query<{ count: number; bytes: number }>(
    `SELECT count(*)::int AS count, coalesce(sum(octet_length(spec)), 0)::float8 AS bytes FROM log_schemas WHERE tenant_id = $1`,
    [tx.tenantId],
  );
  return rows[0] ?? { count: 0, bytes: 0 };
}

/** Log types that a source of the tenant may hold. */
export async function listUsedLogTypes(tx: TenantTx): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ name: string }>(
    'SELECT DISTINCT unnest(log_types) AS name FROM log_sources WHERE tenant_id = $1',
    [tx.tenantId],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Returns whether there is such a schema. */
export async function setSchemaArchived(tx: TenantTx, name: string, isArchived: boolean): Promise<boolean> {
  const changed = await tx.execute(
    'UPDATE log_schemas SET is_archived = $3, updated_at = now() WHERE tenant_id = $1 AND name = $2',
    [tx.tenantId, name, isArchived],
  );
  return changed === 1;
}

type Write = Pick<StoredSchema, 'name' | 'spec' | 'description' | 'referenceUrl' | 'isFieldDiscoveryEnabled'>;

/** Writes the next revision if the stored one is `revision` (0: there is none). Returns whether it was. */
export async function saveSchema(tx: TenantTx, schema: Write, revision: number): Promise<boolean> {
  const values = [
    tx.tenantId,
    schema.name,
    revision + 1,
    schema.spec,
    schema.description,
    schema.referenceUrl,
    schema.isFieldDiscoveryEnabled,
  ];
  const changed =
    revision === 0
      ? await tx.execute(
          `INSERT INTO log_schemas (tenant_id, name, revision, version, spec, description, reference_url, is_field_discovery_enabled)
           VALUES ($1, $2, $3, 1, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
          values,
        )
      : await tx.execute(
          `UPDATE log_schemas SET revision = $3, version = version + 1, spec = $4, description = $5, reference_url = $6,
             is_field_discovery_enabled = $7, updated_at = now()
           WHERE tenant_id = $1 AND name = $2 AND revision = $3 - 1`,
          values,
        );
  if (changed !== 1) return false;
  await tx.execute('INSERT INTO log_schema_revisions (tenant_id, name, revision, spec) VALUES ($1, $2, $3, $4)', [
    tx.tenantId,
    schema.name,
    revision + 1,
    schema.spec,
  ]);
  return true;
}

export async function findRevision(tx: TenantTx, name: string, revision: number): Promise<string | undefined> {
  const rows = await tx.query<{ spec: string }>(
    'SELECT spec FROM log_schema_revisions WHERE tenant_id = $1 AND name = $2 AND revision = $3',
    [tx.tenantId, name, revision],
  );
  return rows[0]?.spec;
}
