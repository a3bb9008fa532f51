//! The tables, the same in both databases. A test compares this file and both migration trees with each other.

diesel::table! {
    installation (id) {
        id -> Integer,
        created_at -> BigInt,
        incarnation -> BigInt,
        change_sequence -> BigInt,
        pruned_to -> BigInt,
        digest_key_sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    change_log (sequence) {
        sequence -> BigInt,
        changed_at -> BigInt,
        kind -> Text,
        subject -> Text,
    }
}

diesel::table! {
    customers (id) {
        id -> Text,
        external_id -> Text,
        name -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        metadata -> Text,
        is_suspended -> Integer,
    }
}

diesel::table! {
    deleted_customers (external_id) {
        external_id -> Text,
        id -> Text,
        deleted_at -> BigInt,
    }
}

diesel::table! {
    roles (name) {
        name -> Text,
        description -> Text,
        scopes -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        role -> Text,
        is_active -> Integer,
        password_hash -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    credential_customers (customer, credential) {
        customer -> Text,
        credential -> Text,
        sequence -> BigInt,
    }
}

diesel::table! {
    credentials (id) {
        id -> Text,
        kind -> Text,
        environment -> Text,
        name -> Text,
        description -> Text,
        scopes -> Text,
        allowed_ips -> Text,
        rate_per_minute -> Nullable<BigInt>,
        burst_per_second -> Nullable<BigInt>,
        state -> Text,
        expires_at -> Nullable<BigInt>,
        owner -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        rotated_at -> BigInt,
        due_flagged_at -> Nullable<BigInt>,
        expiry_flagged -> Integer,
        earlier_used_at -> Nullable<BigInt>,
        earlier_used_address -> Nullable<Text>,
        key_type -> Nullable<Text>,
        default_scopes -> Nullable<Text>,
        audiences -> Nullable<Text>,
        resource_for -> Nullable<Text>,
        token_lifetime -> Nullable<BigInt>,
        signing_algorithm -> Nullable<Text>,
        token_typ -> Nullable<Text>,
        tokens_revoked_before -> Nullable<BigInt>,
        metadata -> Text,
        created_sequence -> BigInt,
        owner_sequence -> BigInt,
    }
}

diesel::table! {
    credential_secrets (id) {
        id -> Text,
        credential -> Text,
        digest -> Nullable<Binary>,
        hash -> Nullable<Text>,
        keyed_digest -> Nullable<Binary>,
        prefix -> Text,
        last_four -> Text,
        created_at -> BigInt,
        ends_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_address -> Nullable<Text>,
    }
}

diesel::table! {
    epochs (sequence) {
        sequence -> BigInt,
        id -> Text,
        environment -> Nullable<Text>,
        owner -> Nullable<Text>,
        customer -> Nullable<Text>,
        within -> Text,
        created_at -> BigInt,
        actor -> Text,
        credential -> Nullable<Text>,
        request_id -> Text,
        clients -> Nullable<BigInt>,
        keys -> Nullable<BigInt>,
        expanded_to -> Text,
        expanded_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    scopes (name) {
        name -> Text,
        description -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        environment -> Text,
        algorithm -> Text,
        generation -> BigInt,
        public_jwk -> Text,
        private_key_sealed -> Nullable<Binary>,
        created_at -> BigInt,
        activates_at -> BigInt,
        retires_at -> Nullable<BigInt>,
        destroyed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    revoked_tokens (jti) {
        jti -> Text,
        client_id -> Text,
        revoked_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (actor, idempotency_key) {
        actor -> Text,
        idempotency_key -> Text,
        request_digest -> Binary,
        action -> Text,
        object -> Text,
        secret_id -> Nullable<Text>,
        sealed_secret -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

diesel::table! {
    audit_log (serial) {
        serial -> BigInt,
        id -> Text,
        time -> BigInt,
        actor -> Text,
        credential -> Nullable<Text>,
        customer -> Nullable<Text>,
        action -> Text,
        target -> Nullable<Text>,
        environment -> Nullable<Text>,
        outcome -> Text,
        status -> Integer,
        reason -> Text,
        method -> Text,
        path -> Text,
        address -> Nullable<Text>,
        user_agent -> Text,
        request_id -> Text,
        gateway_request_id -> Nullable<Text>,
        jti -> Nullable<Text>,
        duration_micros -> BigInt,
        count -> BigInt,
    }
}

diesel::table! {
    audit_chain (position) {
        position -> BigInt,
        first_serial -> BigInt,
        events -> BigInt,
    }
}

diesel::table! {
    audit_seals (position) {
        position -> BigInt,
        events -> BigInt,
        sealed_at -> BigInt,
        contents -> Binary,
        persons -> Binary,
        salts -> Binary,
        chain -> Binary,
    }
}

diesel::table! {
    audit_cursors (name) {
        name -> Text,
        position -> BigInt,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        heartbeat -> BigInt,
        fence -> BigInt,
    }
}

diesel::table! {
    audit_beat (id) {
        id -> Integer,
        beats -> BigInt,
    }
}

diesel::table! {
    audit_index (term, latest, serial) {
        term -> BigInt,
        latest -> BigInt,
        serial -> BigInt,
        earliest -> BigInt,
        gaps -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(credentials, credential_secrets, credential_customers, customers);
