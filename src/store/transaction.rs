//! Transactions that write.

use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection as _, TransactionManager as _};
use diesel::result::Error;
use diesel::sqlite::SqliteConnection;

use super::{AnyConnection, StoreError};

/// Runs `work` in one transaction. Its first statement must write: what it reads then is not older than the locks that
/// it holds.
pub fn run<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    type Transactions = <AnyConnection as Connection>::TransactionManager;
    begin(connection).map_err(StoreError::from)?;
    match work(connection) {
        Ok(done) => {
            Transactions::commit_transaction(connection).map_err(StoreError::from)?;
            Ok(done)
        }
        Err(error) => {
            // A connection on which this fails leaves the pool.
            let _is_broken = Transactions::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// How long a transaction that writes waits for SQLite's lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks, at first and when it has waited for long. SQLite's own waiting looks after 1 ms, then ever more
/// rarely, up to 100 ms: beside a server under load, whose transactions follow one another, others got the lock late.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(1));
/// After this time the wait is long.
const LONG_WAIT: Duration = Duration::from_millis(200);

/// Begins a transaction that writes. SQLite has one at a time: it waits for those of other processes.
fn begin(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection),
        AnyConnection::Sqlite(connection) => {
            connection.batch_execute("PRAGMA busy_timeout = 0")?;
            let begun = take_lock(connection);
            connection.batch_execute("PRAGMA busy_timeout = 10000")?;
            begun
        }
    }
}

fn take_lock(connection: &mut SqliteConnection) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let begun = AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE");
        let waited = began.elapsed();
        match begun {
            Err(error) if is_locked(&error) && waited < LOCK_PATIENCE => {
                std::thread::sleep(if waited < LONG_WAIT { LOOK_EVERY.0 } else { LOOK_EVERY.1 });
            }
            done => return done,
        }
    }
}

/// Returns whether the error is `SQLITE_BUSY`, which diesel tells only by its text.
fn is_locked(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message() == "database is locked")
}
