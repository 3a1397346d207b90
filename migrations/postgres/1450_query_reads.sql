-- The tables that a query reads, and which of their rows: its process sees nothing else of the lake.
ALTER TABLE lake_queries ADD COLUMN reads jsonb NOT NULL DEFAULT '[]';
