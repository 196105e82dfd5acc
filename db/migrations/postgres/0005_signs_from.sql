-- From when on a key signs, so that every node has published it by then. NULL: since it was made.
ALTER TABLE signing_key ADD COLUMN signs_from BIGINT;
