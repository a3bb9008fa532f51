//! One connection type for both databases, and how connections are opened.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use parking_lot::RwLock;

use super::StoreError;
use crate::config::DatabaseConfig;

/// A connection to either database. Queries are written once for both.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL through libpq.
    Postgres(PgConnection),
    /// The bundled SQLite.
    Sqlite(SqliteConnection),
}

/// Every acknowledged commit survives a loss of power (`synchronous = FULL` in WAL mode). Readers do not wait for the
/// writer. A write waits for the lock of another process.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -4000; \
     PRAGMA trusted_schema = OFF;";

/// The writer of events relies on the isolation level: what is committed before it looks at the change log, it sees.
const POSTGRES_SETTINGS: &str = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'; \
     SET synchronous_commit = on; \
     SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET client_min_messages = warning;";

/// How long PostgreSQL may take for one statement: longer is a fault, and must not hold requests forever.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// For most connections.
    Usual,
    /// For reads that are cut into short statements.
    Short,
}

impl Patience {
    const fn setting(self) -> &'static str {
        match self {
            Self::Usual => "SET statement_timeout = '15s'",
            Self::Short => "SET statement_timeout = '5s'",
        }
    }
}

/// Opens connections for the pool.
#[derive(Debug)]
pub struct Manager {
    database: DatabaseConfig,
    patience: Patience,
}

impl Manager {
    /// Creates the SQLite file if it is missing, readable by its owner only: it holds hashes and the audit log.
    pub fn new(database: &DatabaseConfig) -> Result<Self, StoreError> {
        Self::with_patience(database, Patience::Usual)
    }

    /// Creates it as [`Manager::new`] does, for connections with their own patience.
    pub fn with_patience(database: &DatabaseConfig, patience: Patience) -> Result<Self, StoreError> {
        if let DatabaseConfig::Sqlite { file, .. } = database {
            make_private(file).map_err(|error| StoreError::Unavailable(format!("file {}: {error}", file.display())))?;
        }
        Ok(Self { database: database.clone(), patience })
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.database, DatabaseConfig::Sqlite { .. })
    }
}

/// Creates the file and its folder where they are missing, accessible to their owner only. SQLite gives its side files
/// the same mode.
fn make_private(file: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    // To open and close it would end the locks that connections of this process have on it.
    if file.exists() {
        return Ok(());
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}

/// Whether the process is ending. Read-locked while a connection is being opened.
static ENDING: RwLock<bool> = RwLock::new(false);

/// Waits for connections that the pool's threads are opening, and opens no more: OpenSSL frees its tables when the
/// process exits, and a handshake that is still running would crash it.
pub fn end_connecting() {
    if let Some(mut ending) = ENDING.try_write_for(std::time::Duration::from_secs(5)) {
        *ending = true;
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        let ending = ENDING.read();
        if *ending {
            return Err(StoreError::Unavailable("the process is ending".to_owned()));
        }
        let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
        match &self.database {
            DatabaseConfig::Sqlite { file, .. } => {
                let mut connection =
                    SqliteConnection::establish(&file.to_string_lossy()).map_err(|error| unavailable(&error))?;
                connection.batch_execute(SQLITE_SETTINGS)?;
                Ok(AnyConnection::Sqlite(connection))
            }
            DatabaseConfig::Postgres { url, .. } => {
                let mut connection = PgConnection::establish(url).map_err(|error| unavailable(&error))?;
                connection.batch_execute(POSTGRES_SETTINGS)?;
                connection.batch_execute(self.patience.setting())?;
                Ok(AnyConnection::Postgres(connection))
            }
        }
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        ping(connection)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        use diesel::r2d2::R2D2Connection as _;
        std::thread::panicking() || connection.is_broken()
    }
}

/// Lets the statements of a PostgreSQL transaction take as long as they need: those of migrations and of a restore do.
pub const NO_TIME_LIMIT: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
     SET LOCAL idle_in_transaction_session_timeout = 0";

/// Lets the statements of this transaction take as long as they need. SQLite has no limit.
pub fn lift_time_limit(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if let AnyConnection::Postgres(connection) = connection {
        connection.batch_execute(NO_TIME_LIMIT)?;
    }
    Ok(())
}

/// Checks that the database responds.
pub fn ping(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection.batch_execute("SELECT 1").map_err(Into::into)
}

/// Logs failed attempts of the pool to connect. Callers that wait for a connection get an error of their own.
#[derive(Debug)]
pub struct LogErrors;

impl r2d2::HandleError<StoreError> for LogErrors {
    fn handle_error(&self, error: StoreError) {
        if !*ENDING.read() {
            log::warn!("{error}");
        }
    }
}
