-- Times are milliseconds since the epoch; lists are separated by single spaces.

-- One row: values that exist once in the installation.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    created_at BIGINT NOT NULL,
    -- Another random number after each restore.
    incarnation BIGINT NOT NULL,
    -- Every change takes the next number here first, so that numbers commit in order. It is the number of the last
    -- entry in change_log.
    change_sequence BIGINT NOT NULL,
    -- Entries of change_log up to this one may have been removed.
    pruned_to BIGINT NOT NULL,
    -- The key of the digests of client secrets, sealed under a master key; NULL until the first start.
    digest_key_sealed BYTEA
);
INSERT INTO installation (id, created_at, incarnation, change_sequence, pruned_to, digest_key_sealed)
    VALUES (1, 0, 0, 0, 0, NULL);

-- Entries that other processes must drop from their caches.
CREATE TABLE change_log (
    sequence BIGINT PRIMARY KEY,
    changed_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX change_log_changed_at ON change_log (changed_at);

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    -- Fixed at creation.
    external_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- A JSON object of strings.
    metadata TEXT NOT NULL,
    is_suspended INTEGER NOT NULL
);

-- External ids of customers that were deleted: they are not given again.
CREATE TABLE deleted_customers (
    external_id TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    deleted_at BIGINT NOT NULL
);

-- Roles that were created or changed; the built-in roles are in the code.
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
    -- Argon2id as a PHC string; NULL for users who cannot sign in.
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX users_role ON users (role);

-- OAuth clients and API keys.
CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    -- client or api_key, which the prefix of the id also says.
    kind TEXT NOT NULL,
    environment TEXT NOT NULL,
    -- In the order of its bytes, so that an index finds prefixes.
    name TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    rate_per_minute BIGINT,
    burst_per_second BIGINT,
    state TEXT NOT NULL,
    expires_at BIGINT,
    -- NULL: the organisation owns it.
    owner TEXT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When its newest secret was created.
    rotated_at BIGINT NOT NULL,
    -- When an event reported that it is due to be rotated; NULL again once it is.
    due_flagged_at BIGINT,
    -- 1 once a background job has seen that it expired, so that lists find it by an index. Decisions compare
    -- expires_at.
    expiry_flagged INTEGER NOT NULL DEFAULT 0,
    -- The last use of a secret that has been removed; existing secrets have their own.
    earlier_used_at BIGINT,
    earlier_used_address TEXT,
    -- The type of an API key; NULL for a client. The following columns are NULL for an API key.
    key_type TEXT,
    default_scopes TEXT,
    audiences TEXT,
    resource_for TEXT,
    token_lifetime BIGINT,
    signing_algorithm TEXT,
    token_typ TEXT,
    tokens_revoked_before BIGINT,
    -- A JSON object of strings, for both kinds.
    metadata TEXT NOT NULL,
    -- The numbers of the changes that created it and gave it its owner: an epoch ends what has lower ones.
    created_sequence BIGINT NOT NULL DEFAULT 0,
    owner_sequence BIGINT NOT NULL DEFAULT 0
);
-- One for each filter of lists, whose order is that of the ids; ids of one kind are next to each other.
CREATE INDEX credentials_environment ON credentials (environment, id);
CREATE INDEX credentials_name ON credentials (name, id);
CREATE INDEX credentials_owner ON credentials (owner, id) WHERE owner IS NOT NULL;
-- Counts what an epoch would end.
CREATE INDEX credentials_living ON credentials (environment, kind, state) WHERE state <> 'revoked';
CREATE INDEX credentials_key_type ON credentials (key_type, id) WHERE key_type IS NOT NULL;
CREATE INDEX credentials_state ON credentials (state, expiry_flagged, id);
CREATE INDEX credentials_due ON credentials (id) WHERE due_flagged_at IS NOT NULL;
-- What background jobs will flag. What was flagged, has expired or is revoked is not read again.
CREATE INDEX credentials_rotated_at ON credentials (rotated_at)
    WHERE due_flagged_at IS NULL AND expiry_flagged = 0 AND state <> 'revoked';
CREATE INDEX credentials_expires_at ON credentials (expires_at)
    WHERE expires_at IS NOT NULL AND expiry_flagged = 0 AND state <> 'revoked';

-- Secrets of clients and values of API keys, hashed.
CREATE TABLE credential_secrets (
    id TEXT PRIMARY KEY,
    credential TEXT NOT NULL REFERENCES credentials (id),
    -- SHA-256 of an API key's value; NULL for a client's secret.
    digest BYTEA UNIQUE,
    -- Argon2id of a client's secret, as a PHC string; NULL for an API key's value.
    hash TEXT,
    -- Keyed digest of a generated client secret, after the four bytes that name its key. NULL for an API key's value,
    -- and for a secret that people or other systems chose.
    keyed_digest BYTEA,
    prefix TEXT NOT NULL,
    last_four TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT,
    last_used_at BIGINT,
    last_used_address TEXT
);
CREATE INDEX credential_secrets_credential ON credential_secrets (credential);
CREATE INDEX credential_secrets_ends_at ON credential_secrets (ends_at) WHERE ends_at IS NOT NULL;
-- Find an API key by the characters of its values that are shown.
CREATE INDEX credential_secrets_prefix ON credential_secrets (prefix) WHERE digest IS NOT NULL;
CREATE INDEX credential_secrets_last_four ON credential_secrets (last_four) WHERE digest IS NOT NULL;

-- Which customers a credential is tied to.
CREATE TABLE credential_customers (
    customer TEXT NOT NULL REFERENCES customers (id),
    credential TEXT NOT NULL REFERENCES credentials (id),
    -- The number of the change that tied the credential to its customers, to all of them.
    sequence BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (customer, credential)
);
CREATE INDEX credential_customers_credential ON credential_customers (credential);

-- Acts that ended many credentials at once: those with lower numbers to which all that is named here applies.
CREATE TABLE epochs (
    -- The number of the change that made it.
    sequence BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    environment TEXT,
    owner TEXT,
    customer TEXT,
    -- The customers that its caller was tied to: it ends what is tied to some of them and to no other. Empty for all.
    within TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Who made it and by which request, for the events of the credentials.
    actor TEXT NOT NULL,
    credential TEXT,
    request_id TEXT NOT NULL,
    -- How many clients and keys it was to end, as counted before; NULL if that took too long.
    clients BIGINT,
    keys BIGINT,
    -- The last credential whose row has been compared with it.
    expanded_to TEXT NOT NULL,
    -- When all rows and events were written; NULL until then.
    expanded_at BIGINT
);
CREATE INDEX epochs_open ON epochs (sequence) WHERE expanded_at IS NULL;

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
    -- When the token expires: the row is not needed after that.
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest BYTEA NOT NULL,
    -- The action, and the id of its object.
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    -- The secret that the response revealed, sealed under a master key, and its id; NULL if there was none, or after
    -- one hour.
    secret_id TEXT,
    sealed_secret BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Rows are inserted, and never updated.
CREATE TABLE audit_log (
    -- Taken in the order of inserts. A transaction that commits late has lower ones than some that are stored.
    serial BIGSERIAL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
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
    -- The gateway's own id of the request that it asked about.
    gateway_request_id TEXT,
    jti TEXT,
    duration_micros BIGINT NOT NULL,
    -- How many similar refusals the row summarises.
    count BIGINT NOT NULL
);
-- The positions of events: runs of events whose serials follow one another. Positions begin at 1, have no gaps, and
-- have the order of serials.
CREATE TABLE audit_chain (
    -- That of the first event.
    position BIGINT PRIMARY KEY,
    first_serial BIGINT NOT NULL UNIQUE,
    events BIGINT NOT NULL
);
-- Digests of events, chained over all positions. Rows are inserted, and never updated but to erase salts.
CREATE TABLE audit_seals (
    -- That of the first event. Each row continues where the one before it ends.
    position BIGINT PRIMARY KEY,
    events BIGINT NOT NULL,
    sealed_at BIGINT NOT NULL,
    -- SHA-256 of what happened, for each event; zeros for one that was not there any more.
    contents BYTEA NOT NULL,
    -- SHA-256 of what may name a person, behind its salt, for each event.
    persons BYTEA NOT NULL,
    -- 16 bytes for each event; zeros once the person is erased.
    salts BYTEA NOT NULL,
    -- The value of the chain after the last event.
    chain BYTEA NOT NULL
);
-- How far those who read the events by position have come.
CREATE TABLE audit_cursors (
    name TEXT PRIMARY KEY,
    -- That of the last event that was read; 0 before the first.
    position BIGINT NOT NULL
);
-- Which process runs each background loop that must run once.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    -- Empty where a process has returned the lease.
    holder TEXT NOT NULL,
    -- Increases while the holder lives.
    heartbeat BIGINT NOT NULL,
    -- Increases with each new holder. Every write of the loop checks it.
    fence BIGINT NOT NULL
);
-- Which events have a value that lists are filtered by. Events whose position is beyond the cursor `index` may lack
-- their rows. Rows are inserted, and never updated.
CREATE TABLE audit_index (
    -- A hash of a column's name and a value.
    term BIGINT NOT NULL,
    -- When the latest of the events happened.
    latest BIGINT NOT NULL,
    -- The serial of the first event.
    serial BIGINT NOT NULL,
    earliest BIGINT NOT NULL,
    -- The difference between each serial and the next; empty if the row has one event.
    gaps TEXT NOT NULL,
    PRIMARY KEY (term, latest, serial)
);
CREATE TABLE audit_beat (
    -- One row, changed when a commit has no event to store but must take as long as one that has.
    id INTEGER PRIMARY KEY,
    beats BIGINT NOT NULL
);
INSERT INTO audit_beat (id, beats) VALUES (1, 0);
