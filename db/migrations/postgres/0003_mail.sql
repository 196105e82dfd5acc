-- Mails that wait to be sent: sealed, as there are codes and links in them. One that was refused for good is empty (NULL) and stays
-- until it would have expired, so that who waits for it can be told.
CREATE TABLE mail (
    id         BYTEA  NOT NULL PRIMARY KEY,
    sealed     BYTEA,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    trouble    TEXT COLLATE "C"
);
CREATE INDEX mail_due ON mail (next_at) WHERE sealed IS NOT NULL;
CREATE INDEX mail_expires_at ON mail (expires_at);
CREATE INDEX mail_trouble ON mail (trouble) WHERE trouble IS NOT NULL;
