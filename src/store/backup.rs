//! Copies of the database as lines of JSON, in one format for both databases, so that a copy of one can fill the other.
//! Sealed values stay sealed; the master key is not in the copy.

use std::io::{BufRead as _, BufWriter, ErrorKind, Write as _};
use std::path::Path;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::audit_chain::{CursorRow, Run};
use super::audit_log::EventRow;
use super::audit_seals::SealRow;
use super::credential_customers::Tie;
use super::credential_rows::{CredentialRow, SecretRow};
use super::customers::{CustomerRow, DeletedCustomerRow};
use super::epochs::EpochRow;
use super::installation::InstallationRow;
use super::revoked_tokens::RevokedTokenRow;
use super::roles::RoleRow;
use super::schema::{
    audit_chain, audit_cursors, audit_log, audit_seals, credential_customers, credential_secrets, credentials,
    customers, deleted_customers, epochs, idempotency_keys, installation, revoked_tokens, roles, scopes, signing_keys,
    users,
};
use super::scopes::ScopeRow;
use super::signing_keys::SigningKeyRow;
use super::users::UserRow;
use super::{AnyConnection, Store, StoreError, audit_index, migrations};
use crate::domain::audit::AuditEvent;

/// Rows read or written per step.
const STEP: i64 = 500;
/// The format that the first line names.
const FORMAT: &str = "sealwright backup 2";
/// Tables that a copy leaves out: they are derived from others, or short-lived.
#[cfg(test)]
const LEFT_OUT: [&str; 5] = ["audit_beat", "audit_index", "change_log", "idempotency_keys", "leases"];

/// Reads rows after the one whose key is `after`, ordered by key.
macro_rules! page {
    ($connection:ident, $table:ident, $row:ident, $after:ident, $key:ident) => {{
        let mut query = $table::table.select($row::as_select()).order($table::$key.asc()).limit(STEP).into_boxed();
        if let Some(last) = $after {
            query = query.filter($table::$key.gt(last.$key));
        }
        query.load($connection)
    }};
    ($connection:ident, $table:ident, $row:ident, $after:ident, $first:ident, $second:ident) => {{
        let order = ($table::$first.asc(), $table::$second.asc());
        let mut query = $table::table.select($row::as_select()).order(order).limit(STEP).into_boxed();
        if let Some(last) = $after {
            let same = $table::$first.eq(last.$first.clone()).and($table::$second.gt(last.$second));
            query = query.filter($table::$first.gt(last.$first).or(same));
        }
        query.load($connection)
    }};
}

/// The tables of a copy with their rows and primary keys; tables that others refer to come first.
macro_rules! tables {
    ($($table:ident: $row:ident by $($key:ident),+;)*) => {
        #[cfg(test)]
        const TABLES: &[&str] = &[$(stringify!($table)),*];

        /// Passes every row of every table to `write`.
        fn write_rows(
            connection: &mut AnyConnection,
            write: &mut impl FnMut(&'static str, Value) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            $(
                let mut after: Option<$row> = None;
                loop {
                    let mut rows: Vec<$row> = page!(connection, $table, $row, after, $($key),+)?;
                    for row in &rows {
                        write(stringify!($table), serde_json::to_value(row).map_err(|error| unwritable(&error))?)?;
                    }
                    after = rows.pop();
                    if after.is_none() {
                        break;
                    }
                }
            )*
            Ok(())
        }

        /// Inserts one row into the table that it names.
        fn insert_row(connection: &mut AnyConnection, table: &str, row: Value) -> Result<(), StoreError> {
            match table {
                $(stringify!($table) => {
                    let row: $row = serde_json::from_value(row).map_err(|error| unreadable(table, &error))?;
                    diesel::insert_into($table::table).values(row).execute(connection)?;
                })*
                _ => return Err(StoreError::File(format!("the backup has an unknown table {table}"))),
            }
            Ok(())
        }
    };
}

tables! {
    installation: InstallationRow by id;
    customers: CustomerRow by id;
    deleted_customers: DeletedCustomerRow by external_id;
    roles: RoleRow by name;
    users: UserRow by id;
    credentials: CredentialRow by id;
    credential_secrets: SecretRow by id;
    credential_customers: Tie by customer, credential;
    epochs: EpochRow by sequence;
    scopes: ScopeRow by name;
    signing_keys: SigningKeyRow by kid;
    revoked_tokens: RevokedTokenRow by jti;
    audit_log: EventRow by serial;
    audit_chain: Run by position;
    audit_seals: SealRow by position;
    audit_cursors: CursorRow by name;
}

fn unwritable(error: &serde_json::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unreadable(table: &str, error: &serde_json::Error) -> StoreError {
    StoreError::File(format!("the backup has an invalid row of the table {table}: {error}"))
}

/// Writes a copy of the database as it is at one moment. Kept responses of idempotent requests and the change log are
/// not part of it.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write(store: &Store, path: &Path) -> Result<u64, StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: &dyn std::fmt::Display| StoreError::File(format!("{}: {error}", path.display()));
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => failed(&"the file exists; choose a new one"),
        _ => failed(&error),
    })?;
    let mut file = BufWriter::new(file);
    let mut connection = store.connection()?;
    let mut rows = 0;
    let copied = (*connection).transaction(|connection: &mut AnyConnection| -> Result<(), super::Failed<StoreError>> {
        // All tables are read at one moment: SQLite does so in any transaction, PostgreSQL in one that asks for it.
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
        // The last line tells a whole copy from one that was cut off.
        line(&json!({ "rows": rows })).map_err(super::Failed::Own)
    });
    copied.map_err(super::Failed::into_error)?;
    let file = file.into_inner().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    Ok(rows)
}

/// Creates the schema in an empty database and fills it from a copy, all or nothing, however long it takes, with
/// `event` as the latest event. `incarnation` is a random number, by which processes tell it from the database that was
/// copied.
///
/// # Errors
/// The copy cannot be read, or is incomplete.
pub fn restore(store: &Store, path: &Path, event: &AuditEvent, incarnation: i64) -> Result<u64, StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::File(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut lines = std::io::BufReader::new(file).lines();
    let first = lines.next().transpose().map_err(|error| failed(&error))?.unwrap_or_default();
    let first: Value = serde_json::from_str(&first).map_err(|_| failed(&"is not a backup of Sealwright"))?;
    if first["format"] != FORMAT {
        return Err(failed(&format_args!("does not have the format {FORMAT:?}")));
    }
    migrations::run(store)?;
    store.transaction(|connection| {
        super::connection::lift_time_limit(connection)?;
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
            insert_row(connection, &table, row)?;
            rows += 1;
        }
        if said != Some(rows) {
            return Err(failed(&"is incomplete: its end is missing"));
        }
        super::installation::set_incarnation(connection, incarnation)?;
        audit_index::rebuild(connection)?;
        continue_serials(connection)?;
        super::audit_log::insert(connection, [event])?;
        Ok(rows)
    })
}

/// Makes serials of new events follow those of the copy. SQLite does so by itself.
fn continue_serials(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if let AnyConnection::Postgres(connection) = connection {
        diesel::sql_query(
            "SELECT setval(pg_get_serial_sequence('audit_log', 'serial'), COALESCE(MAX(serial), 0) + 1, false) \
             FROM audit_log",
        )
        .execute(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_in_a_copy_or_named_as_left_out() {
        let schema = include_str!("schema.rs");
        let mut known: Vec<&str> =
            schema.split("diesel::table! {").skip(1).filter_map(|table| table.split_whitespace().next()).collect();
        known.sort_unstable();
        let mut named: Vec<&str> = TABLES.iter().chain(&LEFT_OUT).copied().collect();
        named.sort_unstable();
        assert_eq!(named, known);
    }
}
