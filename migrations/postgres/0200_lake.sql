-- Where each table that tenants know lies in the lake, and which columns it has there.
CREATE TABLE lake_tables (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  family text NOT NULL CHECK (family IN ('logs', 'rule_matches', 'rule_errors', 'signals', 'classification_failures')),
  log_type text NOT NULL DEFAULT '',
  layout text NOT NULL CHECK (layout IN ('dedicated', 'pooled')),
  database_name text NOT NULL,
  table_name text NOT NULL,
  columns jsonb NOT NULL,
  last_load_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, family, log_type)
);
SELECT margay_protect_tenant_table('lake_tables');

-- A load is what reaches the lake in one insert: chunks of many batches of one table. Its id is the insert's token, and
-- its members are fixed before the first attempt, so a retry writes the same rows or none.
CREATE TABLE lake_loads (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  table_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('PENDING', 'LOADED')),
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  error text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  loaded_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, table_id) REFERENCES lake_tables (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX lake_loads_pending ON lake_loads (tenant_id, table_id) WHERE state = 'PENDING';
CREATE INDEX lake_loads_by_table ON lake_loads (tenant_id, table_id);
SELECT margay_protect_tenant_table('lake_loads');

CREATE TABLE lake_chunks (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  table_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  object_key text NOT NULL,
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  load_id uuid,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, batch_id, table_id),
  FOREIGN KEY (tenant_id, table_id) REFERENCES lake_tables (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, load_id) REFERENCES lake_loads (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX lake_chunks_waiting ON lake_chunks (tenant_id, table_id, created_at) WHERE load_id IS NULL;
CREATE INDEX lake_chunks_by_table ON lake_chunks (tenant_id, table_id);
CREATE INDEX lake_chunks_by_load ON lake_chunks (tenant_id, load_id);
SELECT margay_protect_tenant_table('lake_chunks');
