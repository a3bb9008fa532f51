//! Reads that may be slow: few at once, on connections of their own, each until a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::{LogErrors, Manager, Patience};
use super::{AnyConnection, StoreError};
use crate::config::DatabaseConfig;

/// Slow reads that run at once.
const AT_ONCE: u32 = 3;
/// How long a read waits for its turn.
const WAITING: Duration = Duration::from_secs(10);

/// Connections for slow reads.
#[derive(Clone)]
pub struct SlowReads {
    pool: r2d2::Pool<Manager>,
    /// How long each takes before it returns what it has. It ends its last statement first.
    time: Duration,
    turns: Arc<Semaphore>,
}

/// The turn of one slow read. It holds no connection before it runs.
pub struct Turn {
    pool: r2d2::Pool<Manager>,
    time: Duration,
    _permit: OwnedSemaphorePermit,
}

impl SlowReads {
    /// Creates a pool that opens its connections on demand.
    pub fn new(config: &DatabaseConfig) -> Self {
        let (DatabaseConfig::Sqlite { pool_size, list_time_limit, .. }
        | DatabaseConfig::Postgres { pool_size, list_time_limit, .. }) = config;
        let at_once = AT_ONCE.min(*pool_size);
        let pool = r2d2::Pool::builder()
            .max_size(at_once)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(3))
            .error_handler(Box::new(LogErrors))
            .build_unchecked(Manager::with_patience(config, Patience::Short));
        let time = Duration::from_millis(u64::try_from(list_time_limit.millis()).unwrap_or(0));
        Self { pool, time, turns: Arc::new(Semaphore::new(usize::try_from(at_once).unwrap_or(1))) }
    }

    /// Waits until few other slow reads are running.
    ///
    /// # Errors
    /// Too many are waiting.
    pub async fn turn(&self) -> Result<Turn, StoreError> {
        let waiting = tokio::time::timeout(WAITING, Arc::clone(&self.turns).acquire_owned());
        let busy = || StoreError::Unavailable("too many slow reads".to_owned());
        let permit = waiting.await.map_err(|_| busy())?.map_err(|_| busy())?;
        Ok(Turn { pool: self.pool.clone(), time: self.time, _permit: permit })
    }
}

impl Turn {
    /// Runs `query`, which gets its deadline.
    pub fn run<T, E: From<StoreError>>(
        self,
        query: impl FnOnce(&mut AnyConnection, Instant) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.pool.get().map_err(|error| StoreError::Unavailable(error.to_string()));
        query(&mut *connection?, Instant::now() + self.time)
    }
}
