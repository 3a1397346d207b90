-- How long a tenant wants its data kept, where it differs from the deployment. Null: as the deployment keeps it.
CREATE TABLE tenant_retention (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  raw_days integer CHECK (raw_days BETWEEN 1 AND 3650),
  event_days integer CHECK (event_days BETWEEN 7 AND 3650),
  delivery_log_days integer CHECK (delivery_log_days BETWEEN 1 AND 3650),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
SELECT margay_protect_tenant_table('tenant_retention');
-- The log of attempts is kept for a time; it was for good until now.
GRANT DELETE ON alert_delivery_attempts TO margay_system;
