-- How the columns of a table are packed on disk; a table of an earlier way is changed when rows next come for it.
ALTER TABLE lake_tables ADD COLUMN packing integer NOT NULL DEFAULT 1;
