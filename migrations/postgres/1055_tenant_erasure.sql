-- From this time on the tenant takes nothing in and gets no new key: it is being erased.
ALTER TABLE tenants ADD COLUMN erasing_at timestamptz(3);

-- What remains of a tenant that was erased: that it was, when, by whom, and how much. No foreign key: it outlives the row.
CREATE TABLE tenant_erasures (
  erased_tenant_id uuid PRIMARY KEY,
  slug text NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz(3) NOT NULL,
  -- Tables of the lake, kept until they are gone.
  lake_tables jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('DELETING', 'SETTLING', 'DONE')),
  deleted jsonb NOT NULL DEFAULT '{}',
  rows_gone_at timestamptz(3),
  finished_at timestamptz(3)
);
CREATE INDEX tenant_erasures_open ON tenant_erasures (requested_at) WHERE state <> 'DONE';
ALTER TABLE tenant_erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON tenant_erasures TO margay_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON tenant_erasures TO margay_system;

-- What operators did to the deployment itself, chained like the audit rows of a tenant.
CREATE TABLE operator_events (
  sequence bigint PRIMARY KEY,
  recorded_at timestamptz(3) NOT NULL,
  action text NOT NULL,
  operator text NOT NULL,
  parameters jsonb NOT NULL DEFAULT '{}',
  hash bytea NOT NULL
);
ALTER TABLE operator_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_events FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON operator_events TO margay_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON operator_events TO margay_system;
