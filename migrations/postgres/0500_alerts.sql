CREATE TABLE alerts (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id text NOT NULL,
  type text NOT NULL CHECK (type IN ('RULE', 'RULE_ERROR')),
  status text NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'TRIAGED', 'CLOSED', 'RESOLVED')),
  title text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
  description text NOT NULL DEFAULT '',
  reference text NOT NULL DEFAULT '',
  runbook text NOT NULL DEFAULT '',
  detection_id text NOT NULL,
  detection_name text NOT NULL,
  dedup text NOT NULL,
  context jsonb,
  log_types text[] NOT NULL,
  tags text[] NOT NULL,
  destinations text[],
  event_count bigint NOT NULL,
  first_event_at timestamptz(3) NOT NULL,
  last_event_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  received_at timestamptz(3) NOT NULL,
  assignee_id text,
  trace_id text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alerts_by_time ON alerts (tenant_id, created_at DESC, id DESC);
CREATE INDEX alerts_by_detection ON alerts (tenant_id, detection_id, created_at DESC);
SELECT margay_protect_tenant_table('alerts');

-- The open window of a detection and dedup string: counts matches, and names the alert once the threshold is reached.
CREATE TABLE alert_windows (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  detection_id text NOT NULL,
  type text NOT NULL,
  dedup text NOT NULL,
  opened_at timestamptz(3) NOT NULL,
  ends_at timestamptz(3) NOT NULL,
  match_count bigint NOT NULL,
  first_event_at timestamptz(3) NOT NULL,
  last_event_at timestamptz(3) NOT NULL,
  alert_id text,
  PRIMARY KEY (tenant_id, detection_id, type, dedup)
);
SELECT margay_protect_tenant_table('alert_windows');

CREATE TABLE alert_comments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  alert_id text NOT NULL,
  body text NOT NULL,
  author_kind text NOT NULL,
  author_id text NOT NULL,
  author_name text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX alert_comments_by_alert ON alert_comments (tenant_id, alert_id, created_at);
SELECT margay_protect_tenant_table('alert_comments');

CREATE TABLE destinations (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('WEBHOOK')),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  severities text[] NOT NULL,
  log_types text[] NOT NULL DEFAULT '{}',
  is_enabled boolean NOT NULL DEFAULT true,
  configuration bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
SELECT margay_protect_tenant_table('destinations');

CREATE TABLE alert_deliveries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  alert_id text NOT NULL,
  destination_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz(3) NOT NULL,
  status_code integer,
  message text,
  created_at timestamptz(3) NOT NULL,
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, alert_id, destination_id),
  FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, destination_id) REFERENCES destinations (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_attempt_at) WHERE state = 'PENDING';
CREATE INDEX alert_deliveries_by_alert ON alert_deliveries (tenant_id, alert_id);
CREATE INDEX alert_deliveries_by_destination ON alert_deliveries (tenant_id, destination_id);
SELECT margay_protect_tenant_table('alert_deliveries');
