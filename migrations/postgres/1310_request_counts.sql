-- Requests per key and window, as all processes together count them. Nothing of it is worth keeping over a crash.
CREATE UNLOGGED TABLE request_counts (
  key text NOT NULL CHECK (length(key) <= 300),
  window_start timestamptz(3) NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (key, window_start)
);
CREATE INDEX request_counts_by_age ON request_counts (window_start);
ALTER TABLE request_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON request_counts TO margay_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON request_counts TO margay_system;

-- Settings of a tenant that change what its API answers.
CREATE TABLE tenant_settings (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  allowed_origins text[] NOT NULL DEFAULT '{}' CHECK (cardinality(allowed_origins) <= 20),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id)
);
SELECT margay_protect_tenant_table('tenant_settings');
