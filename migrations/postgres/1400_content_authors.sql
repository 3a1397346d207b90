-- Who made and last changed a piece of content, as the API shows it: {"kind", "id", "name"}, the name as it was then.
ALTER TABLE detections
  ADD COLUMN created_by jsonb,
  ADD COLUMN last_modified_by jsonb;
