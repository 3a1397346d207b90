-- What is done is forgotten in the order of its arrival; what failed waits for a person for longer.
CREATE INDEX batches_over ON batches (received_at) WHERE state IN ('DONE', 'FAILED');
-- A revision may be forgotten when no batch names it and nobody has just asked for it.
ALTER TABLE detection_revisions ADD COLUMN used_at timestamptz(3) NOT NULL DEFAULT now();
GRANT UPDATE ON detection_revisions TO margay_app, margay_system;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
