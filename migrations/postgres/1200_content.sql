-- Every type of content, in one namespace of ids, with what its author wrote and every version of it.
ALTER TABLE detections
  DROP CONSTRAINT detections_kind_check,
  DROP CONSTRAINT detections_id_check,
  ADD CONSTRAINT detections_kind_check CHECK (kind IN ('RULE', 'SCHEDULED_RULE', 'POLICY', 'CORRELATION_RULE', 'GLOBAL',
    'DATAMODEL', 'PACK', 'SAVED_QUERY', 'SCHEDULED_QUERY', 'LOOKUP_TABLE', 'SCHEDULED_PROMPT')),
  ADD CONSTRAINT detections_id_check CHECK (length(id) BETWEEN 1 AND 1000),
  ADD COLUMN source text NOT NULL DEFAULT '',
  ADD COLUMN updated_by text NOT NULL DEFAULT '';

-- A row for each change, also the last one: versions of a deleted id go on counting when it comes back.
CREATE TABLE detection_versions (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  detection_id text NOT NULL,
  version integer NOT NULL,
  change text NOT NULL CHECK (change IN ('SAVED', 'DELETED')),
  kind text NOT NULL,
  is_enabled boolean NOT NULL,
  body text NOT NULL,
  specification jsonb NOT NULL,
  source text NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, detection_id, version)
);
SELECT margay_protect_tenant_table('detection_versions', 'tenant_id', 'SELECT, INSERT');

ALTER TABLE detections NO FORCE ROW LEVEL SECURITY;
ALTER TABLE detection_versions NO FORCE ROW LEVEL SECURITY;
INSERT INTO detection_versions (tenant_id, detection_id, version, change, kind, is_enabled, body, specification, source, changed_by, changed_at)
  SELECT tenant_id, id, version, 'SAVED', kind, is_enabled, body, specification, source, updated_by, updated_at FROM detections;
ALTER TABLE detections FORCE ROW LEVEL SECURITY;
ALTER TABLE detection_versions FORCE ROW LEVEL SECURITY;

-- Uploads and validations of whole repositories: where they are and what came of them.
CREATE TABLE content_uploads (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('UPLOAD', 'VALIDATION')),
  mode text NOT NULL,
  status text NOT NULL CHECK (status IN ('NOT_PROCESSED', 'COMPLETED', 'FAILED')),
  actor jsonb NOT NULL,
  error text,
  result jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
SELECT margay_protect_tenant_table('content_uploads');
CREATE INDEX content_uploads_waiting ON content_uploads (tenant_id, created_at) WHERE status = 'NOT_PROCESSED';

-- What each detection did, by hour: written in the transaction that applies a batch, so that it counts once.
CREATE TABLE detection_statistics (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  detection_id text NOT NULL,
  hour timestamptz(3) NOT NULL,
  runs bigint NOT NULL,
  sampled_microseconds bigint NOT NULL,
  matches bigint NOT NULL,
  errors bigint NOT NULL,
  PRIMARY KEY (tenant_id, detection_id, hour)
);
SELECT margay_protect_tenant_table('detection_statistics');
