-- Which master key wraps a tenant's data key: the first 16 hex digits of SHA-256 over it. Null for keys of earlier versions.
ALTER TABLE tenant_keys ADD COLUMN master_key_id text;
GRANT UPDATE ON tenant_keys TO margay_app, margay_system;

-- Tenants that are here already may have objects from before encryption; of all others every object is encrypted, so
-- that nobody who can write to the object store may put a plain one in its place.
ALTER TABLE tenants ADD COLUMN has_plain_objects boolean NOT NULL DEFAULT true;
ALTER TABLE tenants ALTER COLUMN has_plain_objects SET DEFAULT false;
