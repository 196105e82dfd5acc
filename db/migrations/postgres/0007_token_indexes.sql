-- SQLite has two indexes less from here on: there each costs a token a page in the log, and here the nodes nothing.

-- Access tokens go soon after they expired, and refresh tokens are passed over for a month.
DROP INDEX token_expires_at;
CREATE INDEX token_kind_expires_at ON token (kind, expires_at);
