-- After how many minutes without data a source raises a system error.
CREATE TABLE log_source_alarms (
  tenant_id uuid NOT NULL,
  source_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('SOURCE_NO_DATA')),
  minutes_threshold integer NOT NULL CHECK (minutes_threshold BETWEEN 15 AND 43200),
  set_at timestamptz(3) NOT NULL,
  -- When it was raised for the silence that lasts; empty while data comes.
  raised_at timestamptz(3),
  PRIMARY KEY (tenant_id, source_id, type),
  FOREIGN KEY (tenant_id, source_id) REFERENCES log_sources (tenant_id, id) ON DELETE CASCADE
);
SELECT margay_protect_tenant_table('log_source_alarms');
