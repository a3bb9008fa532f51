//! The schema's migrations, one tree per database, built into the binary.

use diesel::connection::SimpleConnection as _;
use diesel::migration::MigrationSource;
use diesel::{Connection as _, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::NO_TIME_LIMIT;
use super::error::UnknownMigration;
use super::{AnyConnection, Store, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// An arbitrary number that only this lock uses. Nodes that start together migrate one after another.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7305823711)";

/// The state of the schema, compared with this release.
#[derive(Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// It has no tables yet.
    Empty,
    /// It has exactly this release's migrations.
    Current,
    /// It is older: these migrations are missing.
    Behind(Vec<String>),
    /// It is that of another release: this one does not know this migration.
    Unknown(UnknownMigration),
}

/// Compares the schema with this release's migrations.
pub fn state(store: &Store) -> Result<SchemaState, StoreError> {
    let mut connection = store.connection()?;
    state_of(&mut connection)
}

fn state_of(connection: &mut AnyConnection) -> Result<SchemaState, StoreError> {
    // An empty database has no table of migrations; checking for it must not create it.
    let (applied, known) = match connection {
        AnyConnection::Sqlite(connection) => {
            let tables = table_count(
                connection,
                "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
            )?;
            (if tables > 0 { Some(names(connection)?) } else { None }, versions::<diesel::sqlite::Sqlite>(&SQLITE)?)
        }
        AnyConnection::Postgres(connection) => {
            let tables = table_count(
                connection,
                "SELECT COUNT(*) AS n FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = '__diesel_schema_migrations'",
            )?;
            (if tables > 0 { Some(names(connection)?) } else { None }, versions::<diesel::pg::Pg>(&POSTGRES)?)
        }
    };
    let Some(applied) = applied else { return Ok(SchemaState::Empty) };
    if let Some(unknown) = unknown(&applied, &known) {
        return Ok(SchemaState::Unknown(unknown));
    }
    let missing: Vec<String> = known.into_iter().filter(|version| !applied.contains(version)).collect();
    Ok(if applied.is_empty() {
        SchemaState::Empty
    } else if missing.is_empty() {
        SchemaState::Current
    } else {
        SchemaState::Behind(missing)
    })
}

/// Returns the newest of the migrations that this release does not know. Their stamps are dates of one length.
fn unknown(applied: &[String], known: &[String]) -> Option<UnknownMigration> {
    let version = applied.iter().filter(|version| !known.contains(version)).max()?.clone();
    let is_newer = known.iter().all(|known| *known < version);
    Some(UnknownMigration { version, is_newer })
}

/// Applies missing migrations in one transaction, however long they take. Processes that start together do so one after
/// another.
///
/// # Errors
/// Another release made the schema, or a migration fails. Nothing has changed then.
pub fn run(store: &Store) -> Result<Vec<String>, StoreError> {
    if state(store)? == SchemaState::Current {
        return Ok(vec![]);
    }
    let mut connection = store.connection()?;
    let _turn = store.writers_turn();
    match &mut *connection {
        AnyConnection::Sqlite(connection) => connection.exclusive_transaction(|connection| apply(connection, SQLITE)),
        AnyConnection::Postgres(connection) => connection.transaction(|connection| {
            connection.batch_execute(NO_TIME_LIMIT)?;
            diesel::sql_query(POSTGRES_LOCK).execute(connection)?;
            apply(connection, POSTGRES)
        }),
    }
}

/// Checks that the schema is that of this release.
///
/// # Errors
/// The schema is older, or another release made it.
pub fn require_current(store: &Store) -> Result<(), StoreError> {
    match state(store)? {
        SchemaState::Current => Ok(()),
        SchemaState::Empty => Err(StoreError::SchemaTooOld("1, being empty".to_owned())),
        SchemaState::Behind(missing) => Err(StoreError::SchemaTooOld(missing.join(", "))),
        SchemaState::Unknown(unknown) => Err(StoreError::SchemaUnknown(unknown)),
    }
}

/// Creates the tables in a database of a test.
#[cfg(test)]
pub fn apply_to_sqlite(connection: &mut diesel::SqliteConnection) -> Result<Vec<String>, StoreError> {
    apply(connection, SQLITE)
}

fn apply<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<Vec<String>, StoreError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Unavailable(format!("migration: {error}"));
    let known = versions::<DB>(&source)?;
    if let Some(unknown) = unknown(&names(connection)?, &known) {
        return Err(StoreError::SchemaUnknown(unknown));
    }
    let done = connection.run_pending_migrations(source).map_err(failed)?;
    Ok(done.iter().map(ToString::to_string).collect())
}

fn versions<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Result<Vec<String>, StoreError>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut versions: Vec<String> = source
        .migrations()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.sort();
    Ok(versions)
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn table_count<C>(connection: &mut C, query: &str) -> Result<i64, StoreError>
where
    C: diesel::connection::LoadConnection,
    diesel::query_builder::SqlQuery: for<'q> diesel::query_dsl::methods::LoadQuery<'q, C, Count>,
{
    let counts: Vec<Count> = diesel::sql_query(query).load(connection)?;
    Ok(counts.first().map_or(0, |count| count.n))
}

fn names<C, DB>(connection: &mut C) -> Result<Vec<String>, StoreError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    let applied = connection.applied_migrations().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(applied.iter().map(ToString::to_string).collect())
}
