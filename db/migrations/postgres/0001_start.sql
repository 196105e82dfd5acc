-- Accounts ------------------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id                    BYTEA            NOT NULL PRIMARY KEY,
    username              TEXT COLLATE "C" NOT NULL,
    email                 TEXT COLLATE "C",
    email_verified        BOOLEAN          NOT NULL,
    claims                TEXT COLLATE "C" NOT NULL,
    mode                  TEXT COLLATE "C" NOT NULL,
    disabled_at           BIGINT,
    created_at            BIGINT           NOT NULL,
    updated_at            BIGINT           NOT NULL,
    credential_changed_at BIGINT,
    revoked_before        BIGINT
);

-- User names and e-mail addresses in one column: none names two accounts, whichever of the two it is.
CREATE TABLE identifier (
    name    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE
);
CREATE INDEX identifier_account ON identifier (account);

CREATE TABLE credential (
    account      BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    id           TEXT COLLATE "C" NOT NULL,
    plugin       TEXT COLLATE "C" NOT NULL,
    label        TEXT COLLATE "C" NOT NULL,
    payload      TEXT COLLATE "C" NOT NULL,
    version      BIGINT           NOT NULL,
    created_at   BIGINT           NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (account, id)
);

CREATE TABLE attempt (
    name      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tries     BIGINT           NOT NULL,
    closes_at BIGINT           NOT NULL
);
CREATE INDEX attempt_closes_at ON attempt (closes_at);

-- Sessions ------------------------------------------------------------------------------------------------------------

CREATE TABLE session (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret        BYTEA            NOT NULL UNIQUE,
    account       BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    proofs        TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    last_seen_at  BIGINT           NOT NULL,
    place         TEXT COLLATE "C" NOT NULL,
    level         TEXT COLLATE "C" NOT NULL,
    step_up       TEXT COLLATE "C",
    step_up_since BIGINT,
    ended_at      BIGINT,
    end_reason    TEXT COLLATE "C",
    sequence      BIGINT           NOT NULL
);
CREATE INDEX session_living ON session (account, created_at) WHERE ended_at IS NULL;
CREATE INDEX session_step_up ON session (step_up_since) WHERE ended_at IS NULL AND step_up_since IS NOT NULL;
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;

-- Clients, grants, tokens ---------------------------------------------------------------------------------------------

CREATE TABLE client (
    id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE oauth_consent (
    account  BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client   TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes   TEXT COLLATE "C" NOT NULL,
    given_at BIGINT           NOT NULL,
    PRIMARY KEY (account, client)
);
CREATE INDEX oauth_consent_client ON oauth_consent (client);

-- No reference to the session: an offline grant may outlive it.
CREATE TABLE client_grant (
    id         BYTEA            NOT NULL PRIMARY KEY,
    account    BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client     TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    session    TEXT COLLATE "C" NOT NULL,
    scopes     TEXT COLLATE "C" NOT NULL,
    offline    BOOLEAN          NOT NULL,
    claims     TEXT COLLATE "C",
    nonce      TEXT COLLATE "C",
    acr        TEXT COLLATE "C",
    amr        TEXT COLLATE "C" NOT NULL,
    auth_time  BIGINT           NOT NULL,
    created_at BIGINT           NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX client_grant_account ON client_grant (account, created_at);
CREATE INDEX client_grant_client ON client_grant (client);
CREATE INDEX client_grant_session ON client_grant (session);
CREATE INDEX client_grant_revoked ON client_grant (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE token (
    hash       BYTEA            NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    grant_id   BYTEA            REFERENCES client_grant (id) ON DELETE CASCADE,
    client     TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes     TEXT COLLATE "C" NOT NULL,
    audience   TEXT COLLATE "C" NOT NULL,
    issued_at  BIGINT           NOT NULL,
    expires_at BIGINT           NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX token_grant ON token (grant_id);
CREATE INDEX token_client ON token (client);
CREATE INDEX token_expires_at ON token (expires_at);

-- A spent code's tombstone. No reference to the grant: a code can be spent without leading to one.
CREATE TABLE spent_code (
    hash     BYTEA  NOT NULL PRIMARY KEY,
    grant_id BYTEA  NOT NULL,
    spent_at BIGINT NOT NULL
);
CREATE INDEX spent_code_spent_at ON spent_code (spent_at);

-- Approvals -----------------------------------------------------------------------------------------------------------

CREATE TABLE approval (
    hash        BYTEA            NOT NULL PRIMARY KEY,
    account     BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    plugin      TEXT COLLATE "C" NOT NULL,
    flow        TEXT COLLATE "C" NOT NULL,
    session     TEXT COLLATE "C",
    form        TEXT COLLATE "C" NOT NULL,
    memo        TEXT COLLATE "C" NOT NULL,
    asked_at    BIGINT           NOT NULL,
    visitor     TEXT COLLATE "C" NOT NULL,
    browser     BYTEA            NOT NULL,
    code        BYTEA            NOT NULL,
    expires_at  BIGINT           NOT NULL,
    attempts    BIGINT           NOT NULL,
    answered_at BIGINT
);
CREATE INDEX approval_account ON approval (account);
CREATE INDEX approval_flow ON approval (flow);
CREATE INDEX approval_expires_at ON approval (expires_at);

-- Behaviour -----------------------------------------------------------------------------------------------------------

CREATE TABLE behaviour_consent (
    seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account      BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose      TEXT COLLATE "C" NOT NULL,
    text_version TEXT COLLATE "C" NOT NULL,
    given_at     BIGINT           NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX behaviour_consent_account ON behaviour_consent (account);
CREATE UNIQUE INDEX behaviour_consent_in_force ON behaviour_consent (account, purpose) WHERE withdrawn_at IS NULL;

-- What waits to be learned; it is deleted when it is. Of the account's rhythm, or of a credential's: how its password is typed.
CREATE TABLE record (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account    BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    credential TEXT COLLATE "C",
    plugin     TEXT COLLATE "C" NOT NULL,
    session    TEXT COLLATE "C" NOT NULL,
    label      TEXT COLLATE "C" NOT NULL,
    taken_at   BIGINT           NOT NULL,
    payload    BYTEA            NOT NULL,
    FOREIGN KEY (account, credential) REFERENCES credential (account, id) ON DELETE CASCADE
);
CREATE INDEX record_owner ON record (account, credential);
CREATE INDEX record_waiting ON record (plugin, account, taken_at);
CREATE INDEX record_session ON record (session);
CREATE INDEX record_taken_at ON record (taken_at);

CREATE TABLE model (
    account       BYTEA            NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    plugin        TEXT COLLATE "C" NOT NULL,
    blob          BYTEA            NOT NULL,
    samples       BIGINT           NOT NULL,
    enrolled      BOOLEAN          NOT NULL,
    trained_at_ms BIGINT           NOT NULL,
    used_at       BIGINT           NOT NULL,
    PRIMARY KEY (account, plugin)
);
CREATE INDEX model_used_at ON model (used_at);

-- The models of credentials, which go with them.
CREATE TABLE credential_model (
    account       BYTEA            NOT NULL,
    credential    TEXT COLLATE "C" NOT NULL,
    plugin        TEXT COLLATE "C" NOT NULL,
    blob          BYTEA            NOT NULL,
    samples       BIGINT           NOT NULL,
    enrolled      BOOLEAN          NOT NULL,
    trained_at_ms BIGINT           NOT NULL,
    used_at       BIGINT           NOT NULL,
    PRIMARY KEY (account, credential, plugin),
    FOREIGN KEY (account, credential) REFERENCES credential (account, id) ON DELETE CASCADE
);
CREATE INDEX credential_model_used_at ON credential_model (used_at);

-- What a scorer knows of people in general. `revision` grows when a model that may be in it is erased; `made_of` is the one that it
-- was made of. No blob: there is too little to make one of.
CREATE TABLE background (
    plugin     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision   BIGINT           NOT NULL,
    made_of    BIGINT           NOT NULL,
    made_at_ms BIGINT           NOT NULL,
    accounts   BIGINT           NOT NULL,
    blob       BYTEA
);

-- Operation -----------------------------------------------------------------------------------------------------------

CREATE TABLE signing_key (
    kid        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    alg        TEXT COLLATE "C" NOT NULL,
    private    BYTEA            NOT NULL,
    public     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL,
    retire_at  BIGINT
);

CREATE TABLE lease (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder     TEXT COLLATE "C" NOT NULL,
    held_until BIGINT           NOT NULL
);

CREATE TABLE setting (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Events are told in the order of `seq`, the order of their transactions. No references: a fact outlives whom it is about.
CREATE TABLE event (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       BYTEA            NOT NULL UNIQUE,
    account  BYTEA,
    body     TEXT COLLATE "C" NOT NULL,
    expanded BOOLEAN          NOT NULL
);
CREATE INDEX event_account ON event (account, seq) WHERE account IS NOT NULL;
CREATE INDEX event_unexpanded ON event (seq) WHERE expanded = FALSE;

-- `closed_at` is set when it arrived, or when it was given up (`dead`).
CREATE TABLE delivery (
    seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           BYTEA            NOT NULL UNIQUE,
    client       TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    channel      TEXT COLLATE "C" NOT NULL,
    session      TEXT COLLATE "C",
    event        BYTEA            NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    attempts     BIGINT           NOT NULL,
    next_at      BIGINT           NOT NULL,
    leased_until BIGINT,
    closed_at    BIGINT,
    dead         BOOLEAN          NOT NULL,
    last_error   TEXT COLLATE "C"
);
CREATE INDEX delivery_open ON delivery (client, channel, session, seq) WHERE closed_at IS NULL;
CREATE INDEX delivery_client ON delivery (client);
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_closed ON delivery (closed_at) WHERE closed_at IS NOT NULL;
