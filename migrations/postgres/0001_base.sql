-- Tenant of the current transaction. After SET LOCAL ends the setting is '' and not NULL.
CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;

-- Puts a table behind row-level security. `privileges` is what both application roles get, e.g. 'SELECT, INSERT'.
-- The sub-select makes the tenant an InitPlan, so an index that begins with the tenant is used.
CREATE FUNCTION margay_protect_tenant_table(target regclass, tenant_column text DEFAULT 'tenant_id',
  privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE') RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO margay_app USING (%I = (SELECT app_tenant())) WITH CHECK (%I = (SELECT app_tenant()))',
    target, tenant_column, tenant_column);
  EXECUTE format('CREATE POLICY system_rows ON %s TO margay_system USING (true) WITH CHECK (true)', target);
  EXECUTE format('GRANT %s ON %s TO margay_app, margay_system', privileges, target);
END $$;

REVOKE EXECUTE ON FUNCTION margay_protect_tenant_table(regclass, text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO margay_app, margay_system;

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
SELECT margay_protect_tenant_table('tenants', 'id');
