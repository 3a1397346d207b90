CREATE TABLE detections (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
  kind text NOT NULL CHECK (kind IN ('RULE', 'GLOBAL', 'DATAMODEL')),
  is_enabled boolean NOT NULL DEFAULT true,
  body text NOT NULL DEFAULT '',
  specification jsonb NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
SELECT margay_protect_tenant_table('detections');

-- What a batch was evaluated with: kept so that a retry after a change of rules does exactly the same.
CREATE TABLE detection_revisions (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  revision text NOT NULL,
  content jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, revision)
);
SELECT margay_protect_tenant_table('detection_revisions', 'tenant_id', 'SELECT, INSERT, DELETE');

-- The row that makes the effects of a batch happen once.
CREATE TABLE batch_evaluations (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  batch_id uuid NOT NULL,
  alert_ids jsonb NOT NULL,
  evaluated_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, batch_id)
);
SELECT margay_protect_tenant_table('batch_evaluations');
