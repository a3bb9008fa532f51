-- Times are milliseconds since the epoch; lists are separated by single spaces.

-- One row: what the installation has once.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    created_at BIGINT NOT NULL,
    -- Every change takes the next number here first, so that numbers commit in their order.
    change_sequence BIGINT NOT NULL,
    -- The key of the tags in client secrets, sealed under a master key; NULL until the first start.
    tag_key_sealed BYTEA
);
INSERT INTO installation (id, created_at, change_sequence, tag_key_sealed) VALUES (1, 0, 0, NULL);

-- What other processes must forget.
CREATE TABLE change_log (
    sequence BIGINT PRIMARY KEY,
    changed_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX change_log_changed_at ON change_log (changed_at);

CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT,
    audiences TEXT NOT NULL,
    resource_for TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    token_lifetime BIGINT NOT NULL,
    signing_algorithm TEXT,
    rate_per_minute BIGINT,
    burst_per_second BIGINT,
    state TEXT NOT NULL,
    expires_at BIGINT,
    tokens_revoked_before BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX clients_environment ON clients (environment, id);

CREATE TABLE client_secrets (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    hash TEXT NOT NULL,
    last_four TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX client_secrets_client ON client_secrets (client_id);
CREATE INDEX client_secrets_ends_at ON client_secrets (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE scopes (
    name TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    environment TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    generation BIGINT NOT NULL,
    public_jwk TEXT NOT NULL,
    -- PKCS #8, sealed under a master key; NULL once the key is destroyed.
    private_key_sealed BYTEA,
    created_at BIGINT NOT NULL,
    activates_at BIGINT NOT NULL,
    retires_at BIGINT,
    destroyed_at BIGINT,
    UNIQUE (environment, algorithm, generation)
);

CREATE TABLE revoked_tokens (
    jti TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,
    -- When the token would have expired: the row is of no use after that.
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest BYTEA NOT NULL,
    status INTEGER NOT NULL,
    -- The answer without its secret, for as long as the row lives.
    body TEXT NOT NULL,
    -- The whole answer, sealed under a master key; NULL once its hour is over.
    sealed_body BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    time BIGINT NOT NULL,
    actor TEXT NOT NULL,
    credential TEXT,
    customer TEXT,
    action TEXT NOT NULL,
    target TEXT,
    environment TEXT,
    outcome TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    address TEXT,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    jti TEXT,
    duration_micros BIGINT NOT NULL,
    -- How many like refusals the row stands for.
    count BIGINT NOT NULL,
    -- Its place in the chain, given at sealing.
    position BIGINT,
    hash BYTEA
);
CREATE TABLE audit_seconds (
    -- A credential or a target, and a second (since the epoch) in which the log speaks of it.
    subject TEXT NOT NULL,
    second BIGINT NOT NULL,
    PRIMARY KEY (subject, second)
);
CREATE TABLE audit_beat (
    -- One row, changed where a commit has no event to store but must take as long as if it had.
    id INTEGER PRIMARY KEY,
    beats BIGINT NOT NULL
);
INSERT INTO audit_beat (id, beats) VALUES (1, 0);
