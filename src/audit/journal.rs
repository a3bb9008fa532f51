//! Group commit: one writer takes the events that wait, commits them in one transaction, and wakes the requests that
//! wait for them. Under load a commit stores many events, so that durability costs each of them little; without load an
//! event waits for no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::pace::Pace;
use crate::domain::audit::AuditEvent;
use crate::domain::change::Basis;
use crate::store::{Store, StoreConnection, StoreError};

/// Events that may wait; further requests are refused at once instead of after a wait.
const QUEUE: usize = 16_384;
/// Most events in one transaction.
const BATCH: usize = 1_024;
/// How long a request waits for its event to be stored.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Why the event of a decision is not stored. The response that it records must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// It could not be stored, or is not known to be.
    #[error("the audit event could not be stored")]
    Failed,
    /// Something that the decision is based on has changed since: decide again.
    #[error("changes overtook the decision")]
    Stale,
}

/// The work of the writer for a request that waits.
enum Work {
    /// Store the event.
    Event(AuditEvent, Basis),
    /// Store nothing, but take as long as storing an event.
    Nothing(Basis),
}

impl Work {
    fn event(&self) -> Option<&AuditEvent> {
        self.decision().0
    }

    /// The event to store, if there is one, and what the decision is based on.
    fn decision(&self) -> (Option<&AuditEvent>, &Basis) {
        match self {
            Self::Event(event, basis) => (Some(event), basis),
            Self::Nothing(basis) => (None, basis),
        }
    }
}

struct Entry {
    work: Work,
    done: oneshot::Sender<Result<(), NotStored>>,
}

/// Counters of the writer since the start.
#[derive(Debug, Default)]
pub struct JournalStats {
    /// Events stored.
    pub events: AtomicU64,
    /// Transactions that stored them.
    pub commits: AtomicU64,
    /// Events that could not be stored.
    pub failures: AtomicU64,
    /// Decisions that were made again, because changes overtook them.
    pub stale: AtomicU64,
    /// Whether the writer failed to store the last event.
    is_failing: AtomicBool,
}

/// The audit log's queue. Dropping it waits until all events are stored and the writer has returned its connection:
/// libpq and OpenSSL must be idle when the process exits and their tables are freed.
pub struct Journal {
    entries: Option<SyncSender<Entry>>,
    writer: Option<JoinHandle<()>>,
    stats: Arc<JournalStats>,
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            log::error!("the writer of audit events panicked");
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({:?})", self.stats)
    }
}

impl Journal {
    /// Starts the thread of the writer, which opens its connection when the first event comes.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (entries, queue) = sync_channel(QUEUE);
        let stats = Arc::new(JournalStats::default());
        let writer = Writer { store, connection: None, stats: Arc::clone(&stats) };
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&queue))?;
        Ok(Self { entries: Some(entries), writer: Some(writer), stats })
    }

    /// Stores the event of a decision, and returns once it is durable.
    ///
    /// # Errors
    /// The event is not stored, or not within ten seconds; or what the decision is based on has changed since.
    pub async fn record(&self, event: AuditEvent, basis: Basis) -> Result<(), NotStored> {
        self.submit(Work::Event(event, basis)).await.inspect_err(|error| {
            if *error == NotStored::Failed {
                self.stats.failures.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Waits as long as storing an event takes, for a refusal that is only counted. Its response must not be faster
    /// than that of a stored refusal: the time would reveal which clients exist.
    ///
    /// # Errors
    /// As [`Journal::record`].
    pub async fn keep_pace(&self, basis: Basis) -> Result<(), NotStored> {
        self.submit(Work::Nothing(basis)).await
    }

    /// Returns `true` if the writer failed to store the last event.
    pub fn is_failing(&self) -> bool {
        self.stats.is_failing.load(Ordering::Relaxed)
    }

    /// Counts events that were stored with the changes that they record.
    pub fn count_stored(&self, events: usize) {
        self.stats.events.fetch_add(u64::try_from(events).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    async fn submit(&self, work: Work) -> Result<(), NotStored> {
        let (done, response) = oneshot::channel();
        let entries = self.entries.as_ref().ok_or(NotStored::Failed)?;
        entries.try_send(Entry { work, done }).map_err(|_| NotStored::Failed)?;
        match tokio::time::timeout(TIMEOUT, response).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(NotStored::Failed),
        }
    }

    /// Returns the pace of background loops, which yield to requests.
    pub fn pace(&self) -> Pace {
        Pace::beside(Arc::clone(&self.stats))
    }

    /// Returns the counters of the writer.
    pub fn stats(&self) -> &JournalStats {
        &self.stats
    }
}

struct Writer {
    store: Store,
    /// Reused for every commit, and returned to the pool when one fails.
    connection: Option<StoreConnection>,
    stats: Arc<JournalStats>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Entry>) {
        let mut batch = Vec::with_capacity(BATCH);
        while let Ok(first) = queue.recv() {
            batch.push(first);
            batch.extend(queue.try_iter().take(BATCH - 1));
            self.store_batch(&mut batch);
        }
    }

    /// Stores the batch in one transaction. If that fails, stores each event by itself, so that one that the database
    /// refuses does not affect the others; but none if the database does not respond at all.
    fn store_batch(&mut self, batch: &mut Vec<Entry>) {
        match self.commit(batch) {
            Ok(stale) => {
                for (entry, is_stale) in batch.drain(..).zip(stale) {
                    self.finish(entry, is_stale);
                }
            }
            Err(error) if batch.len() == 1 || self.store.ping().is_err() => {
                log::error!("{} audit events could not be stored: {error}", batch.len());
                for entry in batch.drain(..) {
                    self.fail(entry);
                }
            }
            Err(_) => {
                for entry in batch.drain(..) {
                    match self.commit(std::slice::from_ref(&entry)) {
                        Ok(stale) => self.finish(entry, stale.first() == Some(&true)),
                        Err(error) => {
                            let id = entry.work.event().map_or("none", |event| event.id.as_str());
                            log::error!("audit event {id} could not be stored: {error}");
                            self.fail(entry);
                        }
                    }
                }
            }
        }
    }

    /// Stores the events of a batch, and returns which of its decisions are stale.
    fn commit(&mut self, batch: &[Entry]) -> Result<Vec<bool>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connection()?,
        };
        let decisions = batch.iter().map(|entry| entry.work.decision());
        let stale = self.store.append_events(&mut connection, decisions)?;
        self.connection = Some(connection);
        self.stats.commits.fetch_add(1, Ordering::Relaxed);
        Ok(stale)
    }

    fn fail(&self, entry: Entry) {
        if entry.work.event().is_some() {
            self.stats.is_failing.store(true, Ordering::Relaxed);
        }
        let _gone = entry.done.send(Err(NotStored::Failed));
    }

    fn finish(&self, entry: Entry, is_stale: bool) {
        let has_event = entry.work.event().is_some();
        if has_event {
            self.stats.is_failing.store(false, Ordering::Relaxed);
        }
        if is_stale {
            self.stats.stale.fetch_add(1, Ordering::Relaxed);
            let _gone = entry.done.send(Err(NotStored::Stale));
            return;
        }
        if has_event {
            self.stats.events.fetch_add(1, Ordering::Relaxed);
        }
        // A request that was cancelled meanwhile receives nothing; its event is stored all the same.
        let _gone = entry.done.send(Ok(()));
    }
}
