//! The only layer that names diesel and r2d2: rows to domain values and back, queries, migrations.
//!
//! One query text serves both databases. Every change runs through [`Store::change`], which takes the next number of
//! the change log first: that makes changes one after another, and tells other processes what to forget.

pub mod audit_log;
pub mod audit_seconds;
pub mod backup;
mod base64_option;
pub mod change_log;
mod connection;
pub mod credential_customers;
pub mod credential_list;
mod credential_rows;
pub mod credentials;
pub mod customers;
pub mod idempotency;
pub mod installation;
pub mod migrations;
pub mod revoked_tokens;
pub mod roles;
mod schema;
pub mod scopes;
pub mod signing_keys;
pub mod users;

use std::sync::Arc;

use diesel::Connection as _;
use parking_lot::{FairMutex, FairMutexGuard};

pub use connection::{AnyConnection, end_connecting};

use crate::config::DatabaseConfig;
use crate::domain::credential::LastUse;
use crate::domain::time::Timestamp;
use connection::Manager;

/// Credentials whose last use is noted in one transaction.
const NOTED_AT_ONCE: usize = 100;

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or refuses.
    #[error("database: {0}")]
    Unavailable(String),
    /// A row with this key is there already.
    #[error("database: a row with this key is there already")]
    Duplicate,
    /// A row cannot be read as what it should be.
    #[error("database: table {table}, row {row}: column {column} is damaged")]
    Damaged {
        /// Table.
        table: &'static str,
        /// Primary key.
        row: String,
        /// Column.
        column: &'static str,
    },
    /// The schema was made by a newer release.
    #[error(
        "the database's schema has migration {0}, which this release does not know: it was made by a newer release"
    )]
    SchemaTooNew(String),
    /// The schema lacks migrations.
    #[error(
        "the database's schema lacks migration {0}: run `sealwright migrate`, or `sealwright serve` without --no-migrate"
    )]
    SchemaTooOld(String),
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Duplicate,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// A connection of the pool.
pub type StoreConnection = r2d2::PooledConnection<Manager>;

/// The database: a pool of connections, and the turn of this process's writers.
#[derive(Clone)]
pub struct Store {
    pool: r2d2::Pool<Manager>,
    /// SQLite has one writer at a time, and its own waiting is by polling: within the process, writers queue here.
    writers: Option<Arc<FairMutex<()>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("connections", &self.pool.state().connections).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database and makes sure that it answers.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let manager = Manager::new(config)?;
        let writers = manager.is_sqlite().then(Arc::default);
        // The first connection is made here and now, so that what is wrong with it is said as it is.
        let first = r2d2::ManageConnection::connect(&manager)?;
        drop(first);
        let (DatabaseConfig::Sqlite { pool_size, .. } | DatabaseConfig::Postgres { pool_size, .. }) = config;
        let pool = r2d2::Pool::builder()
            // One more than was asked for: the writer of events keeps one, so that slow queries never hold up tokens.
            .max_size(*pool_size + 1)
            // Connections are made on demand only: a command must not end while the pool's own thread is making a spare
            // one (OpenSSL's tables are gone by then, and the process would end by a fault).
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(std::time::Duration::from_secs(3))
            .error_handler(Box::new(connection::LogErrors))
            .build_unchecked(manager);
        Ok(Self { pool, writers })
    }

    /// Runs `query` on a connection of the pool, on a thread that may block.
    ///
    /// # Errors
    /// No connection is to be had, or the query's own error.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        blocking(move || query(&mut *store.connection()?)).await
    }

    /// Runs `change` in one transaction on a connection of the pool, on a thread that may block. Changes happen one
    /// after another, over all processes.
    ///
    /// # Errors
    /// No connection is to be had, or the change's own error; nothing has been changed then.
    pub async fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        blocking(move || store.change_blocking(change)).await
    }

    /// [`Store::change`] on this thread.
    ///
    /// # Errors
    /// As [`Store::change`].
    pub fn change_blocking<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(|connection| {
            let sequence = change_log::next_sequence(connection)?;
            change(&mut Change { connection, sequence })
        })
    }

    /// Runs `work` in one transaction on a connection of the pool.
    fn transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction_on(&mut *self.connection()?, work)
    }

    /// Runs `work` in one transaction, in this writer's turn. Its first statement must write: SQLite then waits for
    /// other processes there, where nothing has been read yet.
    fn transaction_on<T, E: From<StoreError>>(
        &self,
        connection: &mut AnyConnection,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.writers_turn();
        connection.transaction(|connection| work(connection).map_err(Failed::Own)).map_err(Failed::into_error)
    }

    /// Stores events, or where there are none takes as long as that, in one transaction on `connection`, which the
    /// writer of events keeps for itself, as `marked` is.
    ///
    /// # Errors
    /// The database fails or refuses one of them; none is stored then.
    pub fn append_events<'e>(
        &self,
        connection: &mut StoreConnection,
        events: impl Iterator<Item = &'e crate::domain::audit::AuditEvent> + Clone,
        marked: &mut audit_seconds::Marked,
    ) -> Result<(), StoreError> {
        let marks = self.transaction_on(connection, |connection| {
            let mut events = events.peekable();
            if events.peek().is_none() {
                audit_log::beat(connection)?;
            }
            audit_log::insert(connection, events, marked)
        })?;
        marked.remember(marks);
        Ok(())
    }

    /// Stores when secrets, by their ids, were last used.
    pub async fn note_uses(&self, mut used: Vec<(Arc<str>, LastUse)>) -> Result<(), StoreError> {
        let store = self.clone();
        blocking(move || {
            // In the order in which rows lie side by side, and in steps, so that requests' events get their turn
            // between.
            used.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
            used.chunks(NOTED_AT_ONCE)
                .try_for_each(|step| store.transaction(|connection| credentials::note_uses(connection, step)))
        })
        .await
    }

    /// This writer's turn; nothing where the database lets writers work side by side.
    fn writers_turn(&self) -> Option<FairMutexGuard<'_, ()>> {
        self.writers.as_deref().map(FairMutex::lock)
    }

    /// A connection of the pool, for threads of their own.
    ///
    /// # Errors
    /// None is to be had within three seconds.
    pub fn connection(&self) -> Result<StoreConnection, StoreError> {
        self.pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub fn ping(&self) -> Result<(), StoreError> {
        connection::ping(&mut *self.connection()?)
    }
}

/// Why a transaction was rolled back.
enum Failed<E> {
    Own(E),
    Database(diesel::result::Error),
}

impl<E: From<StoreError>> Failed<E> {
    fn into_error(self) -> E {
        match self {
            Self::Own(error) => error,
            Self::Database(error) => StoreError::from(error).into(),
        }
    }
}

impl<E> From<diesel::result::Error> for Failed<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

/// A transaction that changes something.
pub struct Change<'c> {
    /// The connection, inside the transaction.
    pub connection: &'c mut AnyConnection,
    sequence: i64,
}

impl Change<'_> {
    /// Tells other processes to forget what they know of `subject`.
    pub fn announce(&mut self, now: Timestamp, kind: change_log::Kind, subject: &str) -> Result<(), StoreError> {
        change_log::append(self.connection, self.sequence, now, kind, subject)?;
        self.sequence = change_log::next_sequence(self.connection)?;
        Ok(())
    }
}

/// How long anybody waits for the database: a server that accepts queries and answers none must not hold requests for
/// ever. Longer than what is waited for a connection and for SQLite's lock, and together with an audit event's ten
/// seconds shorter than callers wait.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(14);

/// Runs what blocks on a thread where that is allowed. What takes too long may still come to its end there: a change
/// then has its event, and other processes and this one learn of it through the change log.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(StoreError::Unavailable(format!("a query was cut off: {error}")).into()),
        Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned()).into()),
    }
}

/// Asks the database whether it answers, on a connection at hand.
///
/// # Errors
/// It does not.
pub fn ping_connection(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection::ping(connection)
}

/// The rows of a list that can be read; damaged ones are logged and left out.
fn readable<T>(rows: impl Iterator<Item = Result<T, StoreError>>) -> Vec<T> {
    rows.filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok()).collect()
}

/// What a damaged column is reported as.
fn damaged(table: &'static str, row: &str, column: &'static str) -> StoreError {
    StoreError::Damaged { table, row: row.to_owned(), column }
}

/// Joins a list for one text column.
fn join(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// Splits what [`join`] joined.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|item| !item.is_empty())
}
