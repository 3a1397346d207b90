-- How many batches each running worker takes at the same time. A worker says so every few seconds; the dispatcher counts
-- those it has heard of lately and admits as much as they can work on.
CREATE TABLE worker_places (
  worker_id uuid PRIMARY KEY,
  places integer NOT NULL CHECK (places > 0),
  seen_at timestamptz(3) NOT NULL DEFAULT now()
);
ALTER TABLE worker_places ENABLE ROW LEVEL SECURITY;
ALTER TABLE worker_places FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON worker_places TO margay_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_places TO margay_system;
