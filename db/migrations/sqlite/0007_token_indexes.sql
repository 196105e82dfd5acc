-- The busiest table: every index costs each token a page more in the log. A client's tokens are looked for only when it is removed, and
-- then all may be read; those of a client itself have no grant.
DROP INDEX token_client;
DROP INDEX token_grant;
CREATE INDEX token_grant ON token (grant_id) WHERE grant_id IS NOT NULL;

-- Access tokens go soon after they expired, and refresh tokens are passed over for a month.
DROP INDEX token_expires_at;
CREATE INDEX token_kind_expires_at ON token (kind, expires_at);
