-- Uploads in two steps: an address to put an archive at (`SESSION`, finished when it was put), and rehearsals.
ALTER TABLE content_uploads
  DROP CONSTRAINT content_uploads_kind_check,
  ADD CONSTRAINT content_uploads_kind_check CHECK (kind IN ('UPLOAD', 'VALIDATION', 'DRY_RUN', 'SESSION'));
