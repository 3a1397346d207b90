-- Counts the changes of a tenant's content, so that a worker knows without reading it whether it changed.
CREATE TABLE content_heads (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  head bigint NOT NULL,
  PRIMARY KEY (tenant_id)
);
SELECT margay_protect_tenant_table('content_heads');
