-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS alert_delivery_attempts_by_age ON alert_delivery_attempts (dispatched_at);
