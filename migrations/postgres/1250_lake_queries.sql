-- Queries of users over the lake: what was asked, by whom, how far it is, what it cost. Results are objects.
CREATE TABLE lake_queries (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  name text,
  sql text NOT NULL,
  database_name text NOT NULL,
  is_scheduled boolean NOT NULL DEFAULT false,
  issuer_kind text NOT NULL CHECK (issuer_kind IN ('user', 'token', 'system')),
  issuer_id text NOT NULL,
  issuer_name text NOT NULL,
  -- The engine's text and the columns of the result, as compiled when the query was asked.
  statement text NOT NULL,
  columns jsonb NOT NULL,
  -- Log types whose rows the result may hold, and what the asker could read: who may see the result is decided by them.
  log_types text[] NOT NULL,
  access_key text NOT NULL,
  cache_key text NOT NULL,
  -- The query whose result this one shows, when it was asked before and nothing has changed since.
  result_of uuid,
  message text NOT NULL DEFAULT '',
  row_count bigint NOT NULL DEFAULT 0,
  result_bytes bigint NOT NULL DEFAULT 0,
  read_rows bigint NOT NULL DEFAULT 0,
  read_bytes bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  is_cancel_requested boolean NOT NULL DEFAULT false,
  started_at timestamptz(3) NOT NULL,
  run_at timestamptz(3),
  completed_at timestamptz(3),
  trace_id text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX lake_queries_by_time ON lake_queries (tenant_id, started_at DESC, id DESC);
CREATE INDEX lake_queries_open ON lake_queries (state, started_at) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX lake_queries_by_cache_key ON lake_queries (tenant_id, cache_key, started_at DESC) WHERE state = 'SUCCEEDED';
SELECT margay_protect_tenant_table('lake_queries');
