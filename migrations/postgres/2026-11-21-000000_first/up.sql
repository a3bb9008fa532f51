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

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Roles that were made or changed here; the built-in ones stand in the code.
CREATE TABLE roles (
    name TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    -- In lower case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    -- Argon2id as a PHC string; NULL for who cannot sign in.
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX users_role ON users (role);

-- Which customers a credential is tied to.
CREATE TABLE credential_customers (
    customer TEXT NOT NULL REFERENCES customers (id),
    credential TEXT NOT NULL,
    PRIMARY KEY (customer, credential)
);
CREATE INDEX credential_customers_credential ON credential_customers (credential);

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
    -- NULL: the organisation's own.
    owner TEXT REFERENCES users (id),
    tokens_revoked_before BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When its newest secret was made.
    rotated_at BIGINT NOT NULL,
    -- When an event said that its secret is due to be replaced; NULL again once it is.
    due_noted_at BIGINT
);
CREATE INDEX clients_environment ON clients (environment, id);
CREATE INDEX clients_owner ON clients (owner) WHERE owner IS NOT NULL;
CREATE INDEX clients_rotated_at ON clients (rotated_at) WHERE due_noted_at IS NULL;

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

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    rate_per_minute BIGINT,
    burst_per_second BIGINT,
    state TEXT NOT NULL,
    expires_at BIGINT,
    -- NULL: the organisation's own.
    owner TEXT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When its newest string was made.
    rotated_at BIGINT NOT NULL,
    -- When an event said that it is due to be rotated; NULL again once it is.
    due_noted_at BIGINT,
    last_used_at BIGINT,
    last_used_address TEXT
);
CREATE INDEX api_keys_environment ON api_keys (environment, id);
CREATE INDEX api_keys_owner ON api_keys (owner) WHERE owner IS NOT NULL;
CREATE INDEX api_keys_rotated_at ON api_keys (rotated_at) WHERE due_noted_at IS NULL;

CREATE TABLE api_key_strings (
    -- SHA-256 of the string.
    digest BYTEA PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    prefix TEXT NOT NULL,
    last_four TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT
);
CREATE INDEX api_key_strings_key ON api_key_strings (key_id);
CREATE INDEX api_key_strings_ends_at ON api_key_strings (ends_at) WHERE ends_at IS NOT NULL;

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
    -- What a gateway that asked has as the id of the request that it asked about.
    gateway_request_id TEXT,
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
