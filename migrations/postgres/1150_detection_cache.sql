-- What detections of a tenant remember between events: counters, string sets and dictionaries under a key.
CREATE TABLE detection_cache (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 1024),
  count bigint NOT NULL DEFAULT 0,
  strings text[] NOT NULL DEFAULT '{}',
  dictionary text,
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, key)
);
CREATE INDEX detection_cache_expires_at ON detection_cache (expires_at);
SELECT margay_protect_tenant_table('detection_cache');
