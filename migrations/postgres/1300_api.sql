-- Who made and changed what the API shows: {"kind", "id", "name"}, the name as it was then.
ALTER TABLE api_tokens
  ADD COLUMN created_by jsonb,
  ADD COLUMN updated_at timestamptz(3),
  ADD COLUMN updated_by jsonb,
  ADD COLUMN rotated_by jsonb;
ALTER TABLE roles ADD COLUMN updated_by jsonb;
ALTER TABLE log_sources ADD COLUMN created_by jsonb;

ALTER TABLE alerts
  ADD COLUMN quality text CHECK (quality IN ('NOISE', 'USEFUL')),
  ADD COLUMN context_tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(context_tags) <= 10);
CREATE INDEX alerts_by_context_tag ON alerts USING gin (context_tags) WHERE context_tags <> '{}';
ALTER TABLE alert_comments
  ADD COLUMN updated_at timestamptz(3),
  ADD COLUMN updated_by jsonb;

-- The tags a tenant may put on its alerts.
CREATE TABLE alert_context_tags (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  tag text NOT NULL CHECK (tag ~ '^[a-z0-9_-]{1,30}$'),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, tag)
);
SELECT margay_protect_tenant_table('alert_context_tags');
