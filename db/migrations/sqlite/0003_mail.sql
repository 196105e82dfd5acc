-- Mails that wait to be sent: sealed, as there are codes and links in them. One that was refused for good is empty (NULL) and stays
-- until it would have expired, so that who waits for it can be told.
CREATE TABLE mail (
    id         BLOB    NOT NULL PRIMARY KEY,
    sealed     BLOB,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    trouble    TEXT
) STRICT;
CREATE INDEX mail_due ON mail (next_at) WHERE sealed IS NOT NULL;
CREATE INDEX mail_expires_at ON mail (expires_at);
CREATE INDEX mail_trouble ON mail (trouble) WHERE trouble IS NOT NULL;
