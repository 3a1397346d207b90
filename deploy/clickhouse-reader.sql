-- The user as whom queries of users run on a ClickHouse server: it reads the lake and nothing else. docker-compose.yml
-- runs this at every start. Elsewhere run it as an administrator, with a password of your own, and again to change that:
--   clickhouse-client --param_password "$CLICKHOUSE_READER_PASSWORD" --queries-file deploy/clickhouse-reader.sql
-- Then set CLICKHOUSE_READER_USER=margay_reader and CLICKHOUSE_READER_PASSWORD, and look at `npx margay doctor`.
-- It has no source (file, url, s3, remote …), no dictionary, no right to write, and none on system tables beyond those
-- that everybody may see. Which rows of a shared table a query sees goes with each query, as additional_table_filters.

CREATE SETTINGS PROFILE IF NOT EXISTS margay_reader SETTINGS
  readonly = 2,
  allow_ddl = 0 CONST,
  allow_introspection_functions = 0 CONST,
  max_execution_time = 300 MAX 300,
  max_memory_usage = 1500000000 MAX 1500000000;

CREATE USER IF NOT EXISTS margay_reader IDENTIFIED WITH sha256_password BY {password:String}
  SETTINGS PROFILE 'margay_reader';
ALTER USER margay_reader IDENTIFIED WITH sha256_password BY {password:String};

REVOKE ALL ON *.* FROM margay_reader;
GRANT SELECT ON `t_*`.* TO margay_reader;
GRANT SELECT ON pool.* TO margay_reader;
