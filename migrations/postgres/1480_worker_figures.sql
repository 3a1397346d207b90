-- What a worker holds and has done, by name, for whoever watches the deployment.
ALTER TABLE worker_places ADD COLUMN figures jsonb NOT NULL DEFAULT '{}';
