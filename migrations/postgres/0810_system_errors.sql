-- What is wrong with the deployment as one tenant sees it. The same trouble again only counts, until it is resolved.
CREATE TABLE system_errors (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('ALERT_DELIVERY', 'DETECTION_ALERT_LIMIT_EXCEEDED', 'SOURCE_CLASSIFICATION_FAILURES',
    'SOURCE_LOG_PROCESSING_ERRORS', 'SOURCE_NO_DATA', 'SOURCE_PERMISSIONS_CHECKS', 'SOURCE_SCANNING_ERRORS')),
  subject_id text NOT NULL,
  subject_name text NOT NULL,
  message text NOT NULL,
  occurrences bigint NOT NULL DEFAULT 1,
  first_seen_at timestamptz(3) NOT NULL,
  last_seen_at timestamptz(3) NOT NULL,
  resolved_at timestamptz(3),
  trace_id text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX system_errors_open ON system_errors (tenant_id, type, subject_id) WHERE resolved_at IS NULL;
CREATE INDEX system_errors_by_time ON system_errors (tenant_id, last_seen_at DESC, id DESC);
SELECT margay_protect_tenant_table('system_errors');
