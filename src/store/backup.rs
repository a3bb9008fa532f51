//! Copies of the database as lines of JSON: the same format from either database, so that a copy of one can fill the
//! other. What is sealed stays sealed; the master key is not in it.

use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::Path;

use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::schema::{
    api_key_strings, api_keys, audit_log, client_secrets, clients, customers, idempotency_keys, installation,
    revoked_tokens, roles, scopes, signing_keys, users,
};
use super::{AnyConnection, Store, StoreError, audit_seconds, credential_customers, migrations};
use crate::domain::audit::AuditEvent;

/// Rows read and written at once.
const STEP: i64 = 500;
/// The table whose rows have two keys.
const TIES: &str = "credential_customers";
/// What the first line says.
const FORMAT: &str = "sealwright backup 1";

/// Bytes as base64.
mod base64_text {
    use base64::Engine as _;

    use super::{Deserialize, STANDARD};

    // serde gives a field by reference.
    #[allow(clippy::ref_option)]
    pub fn serialize<S: serde::Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_some(&STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom)).transpose()
    }
}

/// Bytes that are always there.
mod base64_bytes {
    use base64::Engine as _;

    use super::{Deserialize, STANDARD};

    pub fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A table's rows as they stand in a copy, one struct per table.
macro_rules! tables {
    ($($table:ident as $row:ident by $key:ident: $key_type:ty { $($(#[$attribute:meta])* $column:ident: $type:ty,)* })*) => {
        $(
            #[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
            #[diesel(table_name = $table, treat_none_as_default_value = false)]
            struct $row { $($(#[$attribute])* $column: $type,)* }
        )*

        /// Writes the rows of every table.
        fn write_rows(connection: &mut AnyConnection, write: &mut impl FnMut(&'static str, Value) -> Result<(), StoreError>) -> Result<(), StoreError> {
            $(
                let mut after: Option<$key_type> = None;
                loop {
                    let mut query = $table::table.select($row::as_select()).order($table::$key.asc()).limit(STEP).into_boxed();
                    if let Some(after) = after.take() {
                        query = query.filter($table::$key.gt(after));
                    }
                    let rows: Vec<$row> = query.load(connection)?;
                    after = rows.last().map(|row| row.$key.clone());
                    let full = rows.len() == usize::try_from(STEP).unwrap_or(usize::MAX);
                    for row in rows {
                        write(stringify!($table), serde_json::to_value(row).map_err(|error| StoreError::Unavailable(error.to_string()))?)?;
                    }
                    if !full {
                        break;
                    }
                }
            )*
            Ok(())
        }

        /// Inserts one row.
        fn insert_row(connection: &mut AnyConnection, table: &str, row: Value) -> Result<(), StoreError> {
            let unreadable = |error: serde_json::Error| StoreError::Unavailable(format!("backup: table {table}: {error}"));
            match table {
                $(stringify!($table) => {
                    let row: $row = serde_json::from_value(row).map_err(unreadable)?;
                    diesel::insert_into($table::table).values(row).execute(connection)?;
                })*
                _ => return Err(StoreError::Unavailable(format!("backup: table {table} is not known here"))),
            }
            Ok(())
        }
    };
}

tables! {
    installation as Installation by id: i32 {
        id: i32,
        created_at: i64,
        change_sequence: i64,
        #[serde(with = "base64_text")]
        tag_key_sealed: Option<Vec<u8>>,
    }
    customers as Customer by id: String {
        id: String,
        external_id: String,
        name: String,
        created_at: i64,
        updated_at: i64,
    }
    roles as Role by name: String {
        name: String,
        description: String,
        scopes: String,
        created_at: i64,
        updated_at: i64,
    }
    users as User by id: String {
        id: String,
        email: String,
        name: String,
        role: String,
        is_active: i32,
        password_hash: Option<String>,
        created_at: i64,
        updated_at: i64,
    }
    clients as Client by id: String {
        id: String,
        environment: String,
        name: String,
        description: String,
        scopes: String,
        default_scopes: Option<String>,
        audiences: String,
        resource_for: String,
        allowed_ips: String,
        token_lifetime: i64,
        signing_algorithm: Option<String>,
        rate_per_minute: Option<i64>,
        burst_per_second: Option<i64>,
        state: String,
        expires_at: Option<i64>,
        owner: Option<String>,
        tokens_revoked_before: Option<i64>,
        created_at: i64,
        updated_at: i64,
        rotated_at: i64,
        due_noted_at: Option<i64>,
    }
    client_secrets as Secret by id: String {
        id: String,
        client_id: String,
        hash: String,
        last_four: String,
        created_at: i64,
        ends_at: Option<i64>,
        last_used_at: Option<i64>,
    }
    api_keys as ApiKey by id: String {
        id: String,
        environment: String,
        name: String,
        description: String,
        kind: String,
        scopes: String,
        allowed_ips: String,
        rate_per_minute: Option<i64>,
        burst_per_second: Option<i64>,
        state: String,
        expires_at: Option<i64>,
        owner: Option<String>,
        created_at: i64,
        updated_at: i64,
        rotated_at: i64,
        due_noted_at: Option<i64>,
        last_used_at: Option<i64>,
        last_used_address: Option<String>,
    }
    api_key_strings as KeyString by digest: Vec<u8> {
        #[serde(with = "base64_bytes")]
        digest: Vec<u8>,
        key_id: String,
        prefix: String,
        last_four: String,
        created_at: i64,
        ends_at: Option<i64>,
    }
    scopes as Scope by name: String {
        name: String,
        description: String,
        created_at: i64,
        updated_at: i64,
    }
    signing_keys as SigningKey by kid: String {
        kid: String,
        environment: String,
        algorithm: String,
        generation: i64,
        public_jwk: String,
        #[serde(with = "base64_text")]
        private_key_sealed: Option<Vec<u8>>,
        created_at: i64,
        activates_at: i64,
        retires_at: Option<i64>,
        destroyed_at: Option<i64>,
    }
    revoked_tokens as RevokedToken by jti: String {
        jti: String,
        client_id: String,
        revoked_at: i64,
        expires_at: i64,
    }
    audit_log as Event by id: String {
        id: String,
        time: i64,
        actor: String,
        credential: Option<String>,
        customer: Option<String>,
        action: String,
        target: Option<String>,
        environment: Option<String>,
        outcome: String,
        status: i32,
        reason: String,
        method: String,
        path: String,
        address: Option<String>,
        user_agent: String,
        request_id: String,
        gateway_request_id: Option<String>,
        jti: Option<String>,
        duration_micros: i64,
        count: i64,
        position: Option<i64>,
        #[serde(with = "base64_text")]
        hash: Option<Vec<u8>>,
    }
}

/// Writes a copy of the database as it is at one moment; answers kept for replay and the change log are not part of it.
///
/// # Errors
/// The file is there already or cannot be written, or the database fails.
pub fn write(store: &Store, path: &Path) -> Result<u64, StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(&error))?;
    let mut file = BufWriter::new(file);
    let mut connection = store.connection()?;
    let mut rows = 0;
    let copied = (*connection).transaction(|connection: &mut AnyConnection| -> Result<(), super::Failed<StoreError>> {
        // One moment for all tables: SQLite has it in any transaction, PostgreSQL in one that asks for it.
        if let AnyConnection::Postgres(connection) = connection {
            diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(connection)?;
        }
        let mut line = |value: &Value| writeln!(file, "{value}").map_err(|error| failed(&error));
        line(&json!({"format": FORMAT, "release": env!("CARGO_PKG_VERSION")})).map_err(super::Failed::Own)?;
        write_rows(connection, &mut |table, row| {
            rows += 1;
            line(&json!({"table": table, "row": row}))
        })
        .map_err(super::Failed::Own)?;
        let tied = credential_customers::for_each(connection, &mut |tie| line(&json!({"table": TIES, "row": tie})));
        rows += tied.map_err(super::Failed::Own)?;
        // The last line tells a whole copy from one that was cut off.
        line(&json!({ "rows": rows })).map_err(super::Failed::Own)
    });
    copied.map_err(super::Failed::into_error)?;
    let file = file.into_inner().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    Ok(rows)
}

/// Makes the schema in an empty database and fills it from a copy, all or nothing, with `event` as what happened last.
///
/// # Errors
/// The copy cannot be read, or the database fails.
pub fn restore(store: &Store, path: &Path, event: &AuditEvent) -> Result<u64, StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut lines = std::io::BufReader::new(file).lines();
    let first = lines.next().transpose().map_err(|error| failed(&error))?.unwrap_or_default();
    let first: Value = serde_json::from_str(&first).map_err(|_| failed(&"is not a backup of Sealwright"))?;
    if first["format"] != FORMAT {
        return Err(failed(&format_args!("is not of the format {FORMAT:?}")));
    }
    migrations::run(store)?;
    store.transaction(|connection| {
        diesel::delete(installation::table).execute(connection)?;
        diesel::delete(idempotency_keys::table).execute(connection)?;
        let (mut rows, mut said) = (0, None);
        for line in lines {
            let line = line.map_err(|error| failed(&error))?;
            let mut entry: Value = serde_json::from_str(&line).map_err(|error| failed(&error))?;
            said = entry["rows"].as_u64();
            if said.is_some() {
                continue;
            }
            let table = entry["table"].as_str().unwrap_or_default().to_owned();
            let row = entry["row"].take();
            if table == TIES {
                let tie = serde_json::from_value(row).map_err(|error| failed(&error))?;
                credential_customers::insert(connection, &tie)?;
            } else {
                insert_row(connection, &table, row)?;
            }
            rows += 1;
        }
        if said != Some(rows) {
            return Err(failed(&"is not whole: its end is missing"));
        }
        audit_seconds::rebuild(connection)?;
        super::audit_log::insert(connection, [event], &audit_seconds::Marked::default())?;
        Ok(rows)
    })
}
