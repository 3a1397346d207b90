-- Alerts of system errors, assignees, settings of destinations, a delivery log. The owner changes rows here, which
-- forced row security hides from it; it is forced again at the end.
ALTER TABLE alerts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE alert_deliveries NO FORCE ROW LEVEL SECURITY;

ALTER TABLE alerts RENAME COLUMN received_at TO first_received_at;
ALTER TABLE alerts
  DROP CONSTRAINT alerts_type_check,
  ADD CHECK (type IN ('RULE', 'RULE_ERROR', 'SCHEDULED_RULE', 'SCHEDULED_RULE_ERROR', 'POLICY', 'SYSTEM_ERROR')),
  ADD CHECK (id ~ '^[0-9a-f]{32}$'),
  ALTER COLUMN status DROP DEFAULT,
  -- JSON text of an object. Not jsonb: numbers stay as the detection wrote them, and any escape can be stored.
  ALTER COLUMN context TYPE text USING context::text,
  -- Null for system errors, which name their kind instead.
  ALTER COLUMN detection_id DROP NOT NULL,
  ALTER COLUMN detection_name DROP NOT NULL,
  ADD COLUMN system_error_type text,
  ADD COLUMN mitre text[] NOT NULL DEFAULT '{}',
  ADD COLUMN log_sources text[] NOT NULL DEFAULT '{}',
  ADD COLUMN resource_types text[] NOT NULL DEFAULT '{}',
  DROP COLUMN destinations,
  ALTER COLUMN first_event_at DROP NOT NULL,
  ALTER COLUMN last_event_at DROP NOT NULL,
  ADD COLUMN last_received_at timestamptz(3),
  ALTER COLUMN assignee_id TYPE uuid USING assignee_id::uuid,
  -- Changes by people; matches that arrive have times of their own.
  ALTER COLUMN updated_at DROP NOT NULL,
  ADD COLUMN updated_by_kind text,
  ADD COLUMN updated_by_id text,
  ADD COLUMN updated_by_name text;
UPDATE alerts SET last_received_at = first_received_at,
  updated_at = CASE WHEN status = 'OPEN' THEN NULL ELSE updated_at END;
ALTER TABLE alerts
  ALTER COLUMN last_received_at SET NOT NULL,
  ADD CHECK ((type = 'SYSTEM_ERROR') = (detection_id IS NULL)),
  ADD CHECK ((type = 'SYSTEM_ERROR') = (system_error_type IS NOT NULL));
DROP INDEX alerts_by_detection;
CREATE INDEX alerts_by_detection ON alerts (tenant_id, detection_id, created_at DESC, id DESC);
CREATE INDEX alerts_by_status ON alerts (tenant_id, status, created_at DESC, id DESC);
CREATE INDEX alerts_by_severity ON alerts (tenant_id, severity, created_at DESC, id DESC);
CREATE INDEX alerts_by_assignee ON alerts (tenant_id, assignee_id, created_at DESC, id DESC) WHERE assignee_id IS NOT NULL;

-- Windows are short-lived: those that were open end with this migration, and the next match opens a new one.
DROP TABLE alert_windows;
-- The latest window of a detection and dedup string. Its id is a hash: dedup strings are too long for an index.
CREATE TABLE alert_windows (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id text NOT NULL,
  alert_id text NOT NULL,
  opened_at timestamptz(3) NOT NULL,
  closes_at timestamptz(3) NOT NULL,
  match_count bigint NOT NULL,
  is_alert boolean NOT NULL,
  -- What the alert will be made of, as JSON text, until the threshold is reached.
  pending text,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alert_windows_by_end ON alert_windows (closes_at);
SELECT margay_protect_tenant_table('alert_windows');

ALTER TABLE alert_comments
  ADD COLUMN format text NOT NULL DEFAULT 'PLAIN_TEXT' CHECK (format IN ('PLAIN_TEXT', 'HTML'));

-- A deleted destination keeps its row, without its configuration: deliveries still name it.
ALTER TABLE destinations
  DROP CONSTRAINT destinations_tenant_id_name_key,
  ADD COLUMN alert_types text[] NOT NULL DEFAULT '{}',
  -- Scheme, host and port: the rest of the URL may be a secret. Empty until the destination is saved again.
  ADD COLUMN endpoint text NOT NULL DEFAULT '',
  ADD COLUMN header_names text[] NOT NULL DEFAULT '{}',
  ADD COLUMN has_secret boolean NOT NULL DEFAULT false,
  ADD COLUMN created_by_name text NOT NULL DEFAULT '',
  ADD COLUMN deleted_at timestamptz(3),
  ALTER COLUMN configuration DROP NOT NULL,
  ADD CHECK ((deleted_at IS NULL) = (configuration IS NOT NULL));
CREATE UNIQUE INDEX destinations_by_name ON destinations (tenant_id, lower(name)) WHERE deleted_at IS NULL;

-- The truth about what must be sent; jobs only carry the ids.
ALTER TABLE alert_deliveries RENAME COLUMN finished_at TO delivered_at;
ALTER TABLE alert_deliveries
  DROP CONSTRAINT alert_deliveries_tenant_id_alert_id_destination_id_key,
  ALTER COLUMN id TYPE text USING replace(id::text, '-', ''),
  ADD COLUMN kind text NOT NULL DEFAULT 'ALERT' CHECK (kind IN ('ALERT')),
  -- Counts repetitions started by hand; part of the idempotency key.
  ADD COLUMN resends integer NOT NULL DEFAULT 0,
  ADD COLUMN attempts_left integer NOT NULL DEFAULT 0,
  ADD COLUMN lease_until timestamptz(3),
  ADD COLUMN trace_id text NOT NULL DEFAULT '',
  ADD UNIQUE (tenant_id, alert_id, destination_id, kind);
UPDATE alert_deliveries d SET trace_id = a.trace_id, attempts_left = greatest(1, 11 - d.attempts),
  delivered_at = CASE WHEN d.state = 'DELIVERED' THEN d.delivered_at END
FROM alerts a WHERE a.tenant_id = d.tenant_id AND a.id = d.alert_id;
DROP INDEX alert_deliveries_by_alert;
DROP INDEX alert_deliveries_by_destination;
CREATE INDEX alert_deliveries_by_destination ON alert_deliveries (tenant_id, destination_id, state, next_attempt_at);
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
ALTER TABLE alert_deliveries FORCE ROW LEVEL SECURITY;

CREATE TABLE alert_delivery_attempts (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  delivery_id text NOT NULL,
  attempt integer NOT NULL,
  dispatched_at timestamptz(3) NOT NULL,
  duration_ms integer NOT NULL,
  success boolean NOT NULL,
  status_code integer NOT NULL,
  message text NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id, attempt),
  FOREIGN KEY (tenant_id, delivery_id) REFERENCES alert_deliveries (tenant_id, id) ON DELETE CASCADE
);
SELECT margay_protect_tenant_table('alert_delivery_attempts', 'tenant_id', 'SELECT, INSERT');
