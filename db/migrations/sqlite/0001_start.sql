-- Accounts ------------------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id                    BLOB    NOT NULL PRIMARY KEY,
    username              TEXT    NOT NULL,
    email                 TEXT,
    email_verified        INTEGER NOT NULL,
    claims                TEXT    NOT NULL,
    mode                  TEXT    NOT NULL,
    disabled_at           INTEGER,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    credential_changed_at INTEGER,
    revoked_before        INTEGER
) STRICT;

-- User names and e-mail addresses in one column: none names two accounts, whichever of the two it is.
CREATE TABLE identifier (
    name    TEXT NOT NULL PRIMARY KEY,
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identifier_account ON identifier (account);

CREATE TABLE credential (
    account      BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    id           TEXT    NOT NULL,
    plugin       TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE attempt (
    name      TEXT    NOT NULL PRIMARY KEY,
    tries     INTEGER NOT NULL,
    closes_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_closes_at ON attempt (closes_at);

-- Sessions ------------------------------------------------------------------------------------------------------------

CREATE TABLE session (
    id            TEXT    NOT NULL PRIMARY KEY,
    secret        BLOB    NOT NULL UNIQUE,
    account       BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    proofs        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    place         TEXT    NOT NULL,
    level         TEXT    NOT NULL,
    step_up       TEXT,
    step_up_since INTEGER,
    ended_at      INTEGER,
    end_reason    TEXT,
    sequence      INTEGER NOT NULL
) STRICT;
CREATE INDEX session_living ON session (account, created_at) WHERE ended_at IS NULL;
CREATE INDEX session_step_up ON session (step_up_since) WHERE ended_at IS NULL AND step_up_since IS NOT NULL;
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;

-- Clients, grants, tokens ---------------------------------------------------------------------------------------------

CREATE TABLE client (
    id   TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE oauth_consent (
    account BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client  TEXT    NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes  TEXT    NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (account, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_consent_client ON oauth_consent (client);

-- No reference to the session: an offline grant may outlive it.
CREATE TABLE client_grant (
    id         BLOB    NOT NULL PRIMARY KEY,
    account    BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client     TEXT    NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    session    TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    offline    INTEGER NOT NULL,
    claims     TEXT,
    nonce      TEXT,
    acr        TEXT,
    amr        TEXT    NOT NULL,
    auth_time  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX client_grant_account ON client_grant (account, created_at);
CREATE INDEX client_grant_client ON client_grant (client);
CREATE INDEX client_grant_session ON client_grant (session);
CREATE INDEX client_grant_revoked ON client_grant (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE token (
    hash       BLOB    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    grant_id   BLOB    REFERENCES client_grant (id) ON DELETE CASCADE,
    client     TEXT    NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes     TEXT    NOT NULL,
    audience   TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_grant ON token (grant_id);
CREATE INDEX token_client ON token (client);
CREATE INDEX token_expires_at ON token (expires_at);

-- A spent code's tombstone. No reference to the grant: a code can be spent without leading to one.
CREATE TABLE spent_code (
    hash     BLOB    NOT NULL PRIMARY KEY,
    grant_id BLOB    NOT NULL,
    spent_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_code_spent_at ON spent_code (spent_at);

-- Approvals -----------------------------------------------------------------------------------------------------------

CREATE TABLE approval (
    hash        BLOB    NOT NULL PRIMARY KEY,
    account     BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    plugin      TEXT    NOT NULL,
    flow        TEXT    NOT NULL,
    session     TEXT,
    form        TEXT    NOT NULL,
    memo        TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL,
    visitor     TEXT    NOT NULL,
    browser     BLOB    NOT NULL,
    code        BLOB    NOT NULL,
    expires_at  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    answered_at INTEGER
) STRICT;
CREATE INDEX approval_account ON approval (account);
CREATE INDEX approval_flow ON approval (flow);
CREATE INDEX approval_expires_at ON approval (expires_at);

-- Behaviour -----------------------------------------------------------------------------------------------------------

CREATE TABLE behaviour_consent (
    seq          INTEGER PRIMARY KEY,
    account      BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose      TEXT    NOT NULL,
    text_version TEXT    NOT NULL,
    given_at     INTEGER NOT NULL,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX behaviour_consent_account ON behaviour_consent (account);
CREATE UNIQUE INDEX behaviour_consent_in_force ON behaviour_consent (account, purpose) WHERE withdrawn_at IS NULL;

-- What waits to be learned; it is deleted when it is. Of the account's rhythm, or of a credential's: how its password is typed.
CREATE TABLE record (
    id         TEXT    NOT NULL PRIMARY KEY,
    account    BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    credential TEXT,
    plugin     TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    taken_at   INTEGER NOT NULL,
    payload    BLOB    NOT NULL,
    FOREIGN KEY (account, credential) REFERENCES credential (account, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX record_owner ON record (account, credential);
CREATE INDEX record_waiting ON record (plugin, account, taken_at);
CREATE INDEX record_session ON record (session);
CREATE INDEX record_taken_at ON record (taken_at);

CREATE TABLE model (
    account       BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    plugin        TEXT    NOT NULL,
    blob          BLOB    NOT NULL,
    samples       INTEGER NOT NULL,
    enrolled      INTEGER NOT NULL,
    trained_at_ms INTEGER NOT NULL,
    used_at       INTEGER NOT NULL,
    PRIMARY KEY (account, plugin)
) STRICT;
CREATE INDEX model_used_at ON model (used_at);

-- The models of credentials, which go with them.
CREATE TABLE credential_model (
    account       BLOB    NOT NULL,
    credential    TEXT    NOT NULL,
    plugin        TEXT    NOT NULL,
    blob          BLOB    NOT NULL,
    samples       INTEGER NOT NULL,
    enrolled      INTEGER NOT NULL,
    trained_at_ms INTEGER NOT NULL,
    used_at       INTEGER NOT NULL,
    PRIMARY KEY (account, credential, plugin),
    FOREIGN KEY (account, credential) REFERENCES credential (account, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX credential_model_used_at ON credential_model (used_at);

-- What a scorer knows of people in general. `revision` grows when a model that may be in it is erased; `made_of` is the one that it
-- was made of. No blob: there is too little to make one of.
CREATE TABLE background (
    plugin     TEXT    NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    made_of    INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    accounts   INTEGER NOT NULL,
    blob       BLOB
) STRICT;

-- Operation -----------------------------------------------------------------------------------------------------------

CREATE TABLE signing_key (
    kid        TEXT    NOT NULL PRIMARY KEY,
    alg        TEXT    NOT NULL,
    private    BLOB    NOT NULL,
    public     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    retire_at  INTEGER
) STRICT;

CREATE TABLE lease (
    name       TEXT    NOT NULL PRIMARY KEY,
    holder     TEXT    NOT NULL,
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Events are told in the order of `seq`, the order of their transactions. No references: a fact outlives whom it is about.
CREATE TABLE event (
    seq      INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    account  BLOB,
    body     TEXT    NOT NULL,
    expanded INTEGER NOT NULL
) STRICT;
CREATE INDEX event_account ON event (account, seq) WHERE account IS NOT NULL;
CREATE INDEX event_unexpanded ON event (seq) WHERE expanded = FALSE;

-- `closed_at` is set when it arrived, or when it was given up (`dead`).
CREATE TABLE delivery (
    seq          INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    client       TEXT    NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    channel      TEXT    NOT NULL,
    session      TEXT,
    event        BLOB    NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    leased_until INTEGER,
    closed_at    INTEGER,
    dead         INTEGER NOT NULL,
    last_error   TEXT
) STRICT;
CREATE INDEX delivery_open ON delivery (client, channel, session, seq) WHERE closed_at IS NULL;
CREATE INDEX delivery_client ON delivery (client);
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_closed ON delivery (closed_at) WHERE closed_at IS NOT NULL;
