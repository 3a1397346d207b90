-- A tenant's data key, wrapped by the deployment's master key. Without this row nothing of the tenant can be decrypted.
CREATE TABLE tenant_keys (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  wrapped_key bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
SELECT margay_protect_tenant_table('tenant_keys', 'tenant_id', 'SELECT, INSERT, DELETE');
