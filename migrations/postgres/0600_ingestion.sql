CREATE TABLE log_sources (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind IN ('HTTP')),
  label text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
  log_types text[] NOT NULL,
  stream_type text NOT NULL,
  stream_options jsonb NOT NULL DEFAULT '{}',
  auth jsonb NOT NULL,
  secret bytea,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  last_received_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, label)
);
SELECT margay_protect_tenant_table('log_sources');

-- Every revision is kept: an open batch is parsed with the one its manifest names.
CREATE TABLE log_schemas (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  revision integer NOT NULL,
  version integer NOT NULL,
  spec text NOT NULL,
  description text NOT NULL DEFAULT '',
  reference_url text NOT NULL DEFAULT '',
  is_field_discovery_enabled boolean NOT NULL DEFAULT false,
  is_archived boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);
SELECT margay_protect_tenant_table('log_schemas');

CREATE TABLE log_schema_revisions (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  revision integer NOT NULL,
  spec text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name, revision),
  FOREIGN KEY (tenant_id, name) REFERENCES log_schemas (tenant_id, name) ON DELETE CASCADE
);
SELECT margay_protect_tenant_table('log_schema_revisions', 'tenant_id', 'SELECT, INSERT');

-- A batch is what one acknowledged write to the object store holds: one or more requests of one source.
CREATE TABLE batches (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  source_id uuid NOT NULL,
  lane text NOT NULL CHECK (lane IN ('live', 'replay')),
  state text NOT NULL CHECK (state IN ('PENDING', 'ADMITTED', 'DONE', 'FAILED')),
  received_at timestamptz(3) NOT NULL,
  object_key text NOT NULL,
  parts jsonb NOT NULL,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  trace_id text NOT NULL,
  replay_of uuid,
  admissions integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  retry_at timestamptz(3),
  manifest jsonb,
  counters jsonb,
  error text,
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, replay_of) REFERENCES batches (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX batches_pending ON batches (tenant_id, source_id, lane, received_at) WHERE state = 'PENDING';
CREATE INDEX batches_admitted ON batches (lease_until) WHERE state = 'ADMITTED';
CREATE INDEX batches_by_source ON batches (tenant_id, source_id, received_at);
CREATE INDEX batches_by_replay_of ON batches (tenant_id, replay_of);
SELECT margay_protect_tenant_table('batches');

CREATE TABLE batch_idempotency_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  source_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  batch_id uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, source_id, key)
);
CREATE INDEX batch_idempotency_keys_by_age ON batch_idempotency_keys (created_at);
SELECT margay_protect_tenant_table('batch_idempotency_keys', 'tenant_id', 'SELECT, INSERT, DELETE');
