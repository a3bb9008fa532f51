//! One connection type for both databases, and how connections are opened.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ConnectionError, PgConnection, SqliteConnection};
use parking_lot::RwLock;
use rustix::fs::Access;

use super::StoreError;
use crate::config::DatabaseConfig;
use crate::config::data_folder::{create_folder_of, give_to_owner_of_folder};

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
    /// Creates the manager of connections to `database`.
    pub fn new(database: &DatabaseConfig) -> Self {
        Self::with_patience(database, Patience::Usual)
    }

    /// Creates the manager of connections with their own patience.
    pub fn with_patience(database: &DatabaseConfig, patience: Patience) -> Self {
        Self { database: database.clone(), patience }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.database, DatabaseConfig::Sqlite { .. })
    }
}

/// Checks that the SQLite file is there and can be written, so that SQLite does not create one. A missing file is
/// created with its folder if `may_create`, readable by its owner only: it holds hashes and the audit log. SQLite gives
/// its side files the same owner and mode. A file that is there is not opened here: to close it would end the locks
/// that connections of this process have on it.
pub fn open_file(database: &DatabaseConfig, may_create: bool) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let DatabaseConfig::Sqlite { file: path, .. } = database else { return Ok(()) };
    let failed = |error: std::io::Error| StoreError::Unavailable(format!("file {}: {error}", path.display()));
    match rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK) {
        Err(error) if may_create && error == rustix::io::Errno::NOENT => {}
        other => return other.map_err(|error| failed(error.into())),
    }
    create_folder_of(path).map_err(failed)?;
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
    give_to_owner_of_folder(&file, path).map_err(failed)
}

/// A folder of sockets that is none: connecting to it fails at once, after libpq has read the URL.
const NOWHERE: &str = "/dev/null";

/// Checks that libpq can read the URL of PostgreSQL, without connecting to anything. The reason repeats no part of it.
pub fn check_url(database: &DatabaseConfig) -> Result<(), String> {
    let DatabaseConfig::Postgres { url, .. } = database else { return Ok(()) };
    // As many hosts as the URL has, since each may have a port: in its authority, or as parameters.
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next();
    let parameters = rest.split(['?', '&']).filter(|part| part.starts_with("host=") || part.starts_with("port="));
    let commas = authority.into_iter().chain(parameters).map(|part| part.matches(',').count()).max();
    let hosts = vec![NOWHERE; commas.unwrap_or(0) + 1].join(",");
    match PgConnection::establish(&format!("{url}&host={hosts}&hostaddr=")) {
        Err(error) if !error.to_string().contains(&format!("{NOWHERE}/.s.PGSQL")) => {
            let text = error.to_string();
            let words: String = text.split('"').step_by(2).collect();
            Err(words.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(':').to_owned())
        }
        _ => Ok(()),
    }
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
                // Of a URL that libpq cannot read it repeats parts, which may be of a password.
                let reason = |error: &ConnectionError| check_url(&self.database).err().unwrap_or(error.to_string());
                let mut connection = PgConnection::establish(url).map_err(|error| unavailable(&reason(&error)))?;
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
