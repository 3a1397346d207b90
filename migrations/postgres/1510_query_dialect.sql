-- The language in which the text of a query was read.
ALTER TABLE lake_queries ADD COLUMN dialect text NOT NULL DEFAULT 'snowflake';
