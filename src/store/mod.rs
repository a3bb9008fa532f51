//! Rows, queries and migrations. This is the only layer that names diesel and r2d2.
//!
//! Each query is written once for both databases. Every change runs through [`Store::change`], which first takes the
//! next number of the change log: that serialises changes, and tells other processes what to drop from their caches.

pub mod audit_chain;
pub mod audit_index;
pub mod audit_list;
pub mod audit_log;
pub mod audit_seals;
mod audit_terms;
mod audit_walk;
mod background;
pub mod backup;
mod base64_text;
mod change;
pub mod change_log;
mod connection;
pub mod credential_candidates;
pub mod credential_customers;
pub mod credential_list;
mod credential_rows;
pub mod credentials;
pub mod customers;
mod decisions;
pub mod epoch_rows;
pub mod epochs;
mod error;
mod free_disk;
pub mod idempotency;
pub mod installation;
pub mod leases;
mod metadata;
pub mod migrations;
pub mod revoked_tokens;
pub mod roles;
mod schema;
pub mod scopes;
pub mod signing_keys;
mod slow;
mod transaction;
pub mod users;

use std::sync::Arc;
use std::time::Instant;

use parking_lot::{FairMutex, FairMutexGuard};

pub use change::Change;
pub use connection::{AnyConnection, check_url, end_connecting};
pub use error::StoreError;

use crate::config::DatabaseConfig;
use crate::domain::lease::Lease;
use connection::Manager;
use error::{Failed, damaged};

/// A connection of the pool.
pub type StoreConnection = r2d2::PooledConnection<Manager>;

/// The database: a pool of connections, and a queue for the writers of this process.
#[derive(Clone)]
pub struct Store {
    pool: r2d2::Pool<Manager>,
    /// For reads that may be slow, so that what decisions and events need is never taken by them.
    slow: slow::SlowReads,
    /// SQLite has one writer at a time and waits by polling, so writers of this process queue here instead.
    writers: Option<Arc<FairMutex<()>>>,
    /// Of SQLite: what must stay free on the disk.
    reserve: Option<free_disk::Reserve>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("connections", &self.pool.state().connections).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, which must be there, and checks that it responds.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        connection::open_file(config, false)?;
        Self::connect(config)
    }

    /// Opens the database as [`Store::open`] does. A SQLite file that is missing is created, with its folder.
    ///
    /// # Errors
    /// The database cannot be reached, or the file cannot be created.
    pub fn open_or_create(config: &DatabaseConfig) -> Result<Self, StoreError> {
        connection::open_file(config, true)?;
        Self::connect(config)
    }

    fn connect(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let manager = Manager::new(config);
        let slow = slow::SlowReads::new(config);
        let writers = manager.is_sqlite().then(Arc::default);
        let reserve = free_disk::Reserve::of(config);
        // The first connection is opened here, so that its error is reported unchanged.
        let first = r2d2::ManageConnection::connect(&manager)?;
        drop(first);
        let (DatabaseConfig::Sqlite { pool_size, .. } | DatabaseConfig::Postgres { pool_size, .. }) = config;
        let pool = r2d2::Pool::builder()
            // One more than configured: the writer of events keeps one, so that slow queries never delay tokens.
            .max_size(*pool_size + 1)
            // Connections are opened on demand only: a command must not end while a thread of the pool is opening a
            // spare one. OpenSSL's tables are freed by then, and the process would crash.
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(std::time::Duration::from_secs(3))
            .error_handler(Box::new(connection::LogErrors))
            .build_unchecked(manager);
        Ok(Self { pool, slow, writers, reserve })
    }

    /// Runs `query` with a pooled connection, on a thread that may block.
    ///
    /// # Errors
    /// No connection is available, or `query` fails.
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

    /// Runs `query`, which may be slow, on a thread that may block. Few such queries run at once, on connections of
    /// their own. `query` must use short statements, and return what it has at the time that it is given.
    ///
    /// # Errors
    /// Too many are waiting, no connection is available, or `query` fails.
    pub async fn read_slowly<T, E>(
        &self,
        query: impl FnOnce(&mut AnyConnection, Instant) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = self.slow.turn().await?;
        blocking(move || turn.run(query)).await
    }

    /// Runs `change` in one transaction with a pooled connection, on a thread that may block. Changes happen one after
    /// another, across all processes.
    ///
    /// # Errors
    /// No connection is available, or `change` fails. Nothing has changed then.
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

    /// Runs `change` as [`Store::change`] does, on this thread.
    ///
    /// # Errors
    /// As [`Store::change`].
    pub fn change_blocking<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(|connection| {
            let mut transaction = Change::begin(connection)?;
            let done = change(&mut transaction)?;
            transaction.end()?;
            Ok(done)
        })
    }

    /// Runs `work` in one transaction with a pooled connection.
    fn transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction_on(&mut *self.connection()?, work)
    }

    /// Runs `work` in one transaction, after this process's earlier writers.
    fn transaction_on<T, E: From<StoreError>>(
        &self,
        connection: &mut AnyConnection,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.writers_turn();
        transaction::run(connection, work)
    }

    /// Runs `work` of a background loop in one transaction, if this process still holds `lease`, on a thread that may
    /// block.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], no connection is available, or `work` fails. Nothing has changed then.
    pub async fn under<T: Send + 'static>(
        &self,
        lease: &Lease,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (store, lease) = (self.clone(), lease.clone());
        blocking(move || store.under_blocking(&lease, work)).await
    }

    /// Runs `work` as [`Store::under`] does, on this thread.
    ///
    /// # Errors
    /// As [`Store::under`].
    pub fn under_blocking<T>(
        &self,
        lease: &Lease,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transaction(|connection| {
            leases::check(connection, lease)?;
            work(connection)
        })
    }

    /// Waits for this process's earlier writers; `None` where the database allows concurrent writers.
    fn writers_turn(&self) -> Option<FairMutexGuard<'_, ()>> {
        self.writers.as_deref().map(FairMutex::lock)
    }

    /// Returns a pooled connection.
    ///
    /// # Errors
    /// No connection is available within three seconds.
    pub fn connection(&self) -> Result<StoreConnection, StoreError> {
        self.pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Checks that the database responds.
    ///
    /// # Errors
    /// The database does not respond.
    pub fn ping(&self) -> Result<(), StoreError> {
        connection::ping(&mut *self.connection()?)
    }
}

/// How long callers wait for the database: a server that accepts queries and never responds must not hold requests
/// forever. Longer than the wait for a connection and for SQLite's lock; together with the ten seconds of an audit
/// event still shorter than callers wait.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(14);

/// Runs blocking `work` on a thread that may block. Work that takes too long may still finish there: a change then has
/// its event, and all processes learn of it through the change log.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(StoreError::Unavailable(format!("a query was aborted: {error}")).into()),
        Err(_) => Err(StoreError::Unavailable("no response in time".to_owned()).into()),
    }
}

/// Checks that the database responds on `connection`.
///
/// # Errors
/// The database does not respond.
pub fn ping_connection(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection::ping(connection)
}

/// Keeps the rows that can be read. Damaged rows are logged and left out.
fn readable<T>(rows: impl Iterator<Item = Result<T, StoreError>>) -> Vec<T> {
    rows.filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok()).collect()
}

/// Joins a list into one text column.
fn join(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// Splits what [`join`] joined.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|item| !item.is_empty())
}
