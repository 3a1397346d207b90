CREATE TABLE roles (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  permissions text[] NOT NULL,
  log_type_access_kind text NOT NULL DEFAULT 'ALLOW_ALL' CHECK (log_type_access_kind IN ('ALLOW', 'ALLOW_ALL', 'DENY', 'DENY_ALL')),
  log_type_access text[] NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX roles_by_name ON roles (tenant_id, lower(name));
SELECT margay_protect_tenant_table('roles');

CREATE TABLE api_tokens (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  value_hash bytea NOT NULL UNIQUE,
  permissions text[] NOT NULL,
  allowed_cidr_blocks text[] NOT NULL DEFAULT '{}',
  expires_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  rotated_at timestamptz(3),
  last_used_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
SELECT margay_protect_tenant_table('api_tokens');
