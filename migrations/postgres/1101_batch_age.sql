-- When a batch was stored, by the clock of the database: back-pressure by age must not believe an intake whose clock is off.
ALTER TABLE batches ADD COLUMN stored_at timestamptz(3) NOT NULL DEFAULT now();
