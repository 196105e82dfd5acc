-- To find what died of age without passing over all that lives.
CREATE INDEX client_grant_created ON client_grant (created_at);
CREATE INDEX session_living_created ON session (created_at) WHERE ended_at IS NULL;
