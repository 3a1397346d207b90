-- Jobs that follow from a change, written in its transaction. Payloads are identifiers only.
CREATE TABLE outbox_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  job_name text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX outbox_jobs_by_tenant ON outbox_jobs (tenant_id);
SELECT margay_protect_tenant_table('outbox_jobs', 'tenant_id', 'SELECT, INSERT, UPDATE, DELETE');
