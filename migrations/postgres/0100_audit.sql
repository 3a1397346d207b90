-- One chain per tenant: each row's hash covers the row before, so a missing or changed row shows.
CREATE TABLE audit_heads (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  sequence bigint NOT NULL,
  hash bytea NOT NULL
);
SELECT margay_protect_tenant_table('audit_heads', 'tenant_id', 'SELECT, INSERT, UPDATE');

CREATE TABLE audit_events (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  sequence bigint NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  action text NOT NULL,
  result text NOT NULL CHECK (result IN ('SUCCEEDED', 'FAILED', 'PARTIALLY_FAILED')),
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'token', 'system')),
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  target_kind text,
  target_id text,
  parameters jsonb NOT NULL DEFAULT '{}',
  error text,
  ip_address text,
  user_agent text,
  trace_id text NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX audit_events_by_time ON audit_events (tenant_id, recorded_at DESC);
SELECT margay_protect_tenant_table('audit_events', 'tenant_id', 'SELECT, INSERT');
