//! Group commit: one writer takes what is waiting, commits it in one transaction, and wakes all who wait. Under load a
//! commit carries many events, so that durability costs each of them little; at rest an event is alone and waits for
//! nobody.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::domain::audit::AuditEvent;
use crate::domain::environment::Environment;
use crate::store::audit_seconds::Marked;
use crate::store::{Store, StoreConnection, StoreError};

/// Events that may wait; beyond, requests are turned away at once instead of later.
const QUEUE: usize = 16_384;
/// Events in one transaction.
const BATCH: usize = 1_024;
/// A commit of so many events is a sign of load: before the next one, more is gathered.
const BUSY: usize = 8;
/// Gathering goes on as long as it brings so many. Where fewer ask at once, they would only wait for each other.
const WORTHWHILE: usize = 24;
/// How long more is waited for. A commit costs the processor as much as signing two tokens: many small ones would take it
/// from the requests that they make wait. Waiting longer, as long as more comes, makes single requests of a key slower and
/// brings tokens nothing.
const GATHERING: std::time::Duration = std::time::Duration::from_micros(250);
/// How long a request waits for its event.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// The event is not (known to be) stored: what it witnesses must not be handed out.
#[derive(Debug, thiserror::Error)]
#[error("the audit event could not be stored")]
pub struct NotStored;

/// What is to be done for who waits.
enum Matter {
    /// Store it.
    Event(AuditEvent),
    /// It is in the database already, as part of the change that it witnesses.
    Stored(AuditEvent),
    /// Take as long as storing an event takes.
    Nothing,
}

impl Matter {
    fn unstored(&self) -> Option<&AuditEvent> {
        match self {
            Self::Event(event) => Some(event),
            Self::Stored(_) | Self::Nothing => None,
        }
    }

    fn needs_commit(&self) -> bool {
        !matches!(self, Self::Stored(_))
    }
}

struct Entry {
    matter: Matter,
    done: oneshot::Sender<Result<(), NotStored>>,
}

/// Figures of the writer since the start.
#[derive(Debug, Default)]
pub struct JournalStats {
    /// Events stored.
    pub events: AtomicU64,
    /// Transactions that stored them.
    pub commits: AtomicU64,
    /// Events that could not be stored.
    pub failures: AtomicU64,
    /// Whether the last event that was to be stored could not be.
    is_failing: AtomicBool,
}

/// The way into the audit log. Dropping it waits until all is stored and the writer has given back its connection: libpq and
/// OpenSSL must not be at work any more when the process exits and their tables are freed.
pub struct Journal {
    entries: Option<SyncSender<Entry>>,
    writer: Option<JoinHandle<()>>,
    stats: Arc<JournalStats>,
    writes_lines: bool,
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
    /// Starts the writer. `json_lines` is a file that also gets every event as a line of JSON; `-` is standard output.
    ///
    /// # Errors
    /// The system refuses a thread, or the file cannot be opened.
    pub fn start(store: Store, json_lines: Option<&Path>) -> std::io::Result<Self> {
        let (entries, queue) = sync_channel(QUEUE);
        let stats = Arc::new(JournalStats::default());
        let lines = json_lines.map(JsonLines::open).transpose()?;
        let writes_lines = lines.is_some();
        let writer = Writer { store, connection: None, marked: Marked::default(), stats: Arc::clone(&stats), lines };
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&queue))?;
        Ok(Self { entries: Some(entries), writer: Some(writer), stats, writes_lines })
    }

    /// Stores `event` and returns once it is durable.
    ///
    /// # Errors
    /// It is not stored, or not within ten seconds.
    pub async fn record(&self, event: AuditEvent) -> Result<(), NotStored> {
        self.submit(Matter::Event(event)).await.inspect_err(|_| {
            self.stats.failures.fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Waits as long as storing an event takes, for a refusal that is only counted: its answer must not come sooner than that
    /// of one that is stored, or time would tell clients that exist from those that do not.
    pub async fn keep_pace(&self) {
        let _refused_all_the_same = self.submit(Matter::Nothing).await;
    }

    /// Whether the last event that was to be stored could not be.
    pub fn is_failing(&self) -> bool {
        self.stats.is_failing.load(Ordering::Relaxed)
    }

    /// Passes on an event that was stored with the change that it witnesses: it counts, and gets its line of JSON.
    pub async fn pass_on(&self, event: AuditEvent) {
        if !self.writes_lines {
            self.stats.events.fetch_add(1, Ordering::Relaxed);
        } else if self.submit(Matter::Stored(event)).await.is_err() {
            log::error!("an audit event was not written as a line of JSON");
        }
    }

    async fn submit(&self, matter: Matter) -> Result<(), NotStored> {
        let (done, answer) = oneshot::channel();
        let entries = self.entries.as_ref().ok_or(NotStored)?;
        entries.try_send(Entry { matter, done }).map_err(|_| NotStored)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(NotStored),
        }
    }

    /// Figures of the writer.
    pub fn stats(&self) -> &JournalStats {
        &self.stats
    }
}

struct Writer {
    store: Store,
    /// Kept from commit to commit, and given back to the pool when one fails.
    connection: Option<StoreConnection>,
    marked: Marked,
    stats: Arc<JournalStats>,
    lines: Option<JsonLines>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Entry>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut is_gathering = false;
        while let Ok(first) = queue.recv() {
            batch.push(first);
            take_waiting(queue, &mut batch);
            if is_gathering {
                gather(queue, &mut batch);
            }
            is_gathering = batch.len() >= if is_gathering { WORTHWHILE } else { BUSY };
            self.store_batch(&mut batch);
        }
    }

    /// Stores the batch as one transaction. Where that fails, each event by itself, so that one that the database refuses
    /// takes no other with it; but no further ones once the database does not answer at all.
    fn store_batch(&mut self, batch: &mut Vec<Entry>) {
        let committed = if batch.iter().any(|entry| entry.matter.needs_commit()) {
            self.commit(batch.iter().filter_map(|entry| entry.matter.unstored()))
        } else {
            Ok(())
        };
        match committed {
            Ok(()) => {
                for entry in batch.drain(..) {
                    self.succeed(entry);
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
                    match entry.matter.unstored().map_or(Ok(()), |event| self.commit(std::iter::once(event))) {
                        Ok(()) => self.succeed(entry),
                        Err(error) => {
                            let id = entry.matter.unstored().map_or("none", |event| event.id.as_str());
                            log::error!("audit event {id} could not be stored: {error}");
                            self.fail(entry);
                        }
                    }
                }
            }
        }
    }

    fn commit<'e>(&mut self, events: impl Iterator<Item = &'e AuditEvent> + Clone) -> Result<(), StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connection()?,
        };
        self.store.append_events(&mut connection, events, &mut self.marked)?;
        self.connection = Some(connection);
        self.stats.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn fail(&self, entry: Entry) {
        if entry.matter.unstored().is_some() {
            self.stats.is_failing.store(true, Ordering::Relaxed);
        }
        let _gone = entry.done.send(Err(NotStored));
    }

    fn succeed(&mut self, entry: Entry) {
        if entry.matter.unstored().is_some() {
            self.stats.is_failing.store(false, Ordering::Relaxed);
        }
        if let Matter::Event(event) | Matter::Stored(event) = &entry.matter {
            self.stats.events.fetch_add(1, Ordering::Relaxed);
            if let Some(lines) = &mut self.lines {
                lines.write(event);
            }
        }
        // A request that was given up meanwhile hears nothing; its event stands all the same.
        let _gone = entry.done.send(Ok(()));
    }
}

/// Takes what waits already.
fn take_waiting(queue: &Receiver<Entry>, batch: &mut Vec<Entry>) {
    batch.extend(queue.try_iter().take(BATCH - batch.len()));
}

/// Takes what comes within a short while.
fn gather(queue: &Receiver<Entry>, batch: &mut Vec<Entry>) {
    std::thread::sleep(GATHERING);
    take_waiting(queue, batch);
}

/// Events as lines of JSON, for a collector. The database is the record: a line that cannot be written is only logged.
struct JsonLines(Box<dyn std::io::Write + Send>);

impl JsonLines {
    fn open(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if path == Path::new("-") {
            return Ok(Self(Box::new(std::io::stdout())));
        }
        // Who did what is nobody else's business.
        Ok(Self(Box::new(std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?)))
    }

    fn write(&mut self, event: &AuditEvent) {
        let line = serde_json::json!({
            "id": event.id.as_str(),
            "time": event.time.to_string(),
            "actor": &*event.actor,
            "credential": event.credential.as_deref(),
            "customer": event.customer.as_deref(),
            "action": event.action.as_str(),
            "target": event.target.as_deref(),
            "environment": event.environment.map(Environment::as_str),
            "outcome": event.outcome.as_str(),
            "status": event.status,
            "reason": event.reason.as_str(),
            "method": &*event.origin.method,
            "path": &event.origin.path,
            "address": event.origin.address,
            "user_agent": &event.origin.user_agent,
            "request_id": event.origin.request_id.as_str(),
            "gateway_request_id": event.origin.gateway_request_id.as_deref(),
            "jti": event.jti.as_deref(),
            "duration_micros": event.duration_micros,
            "count": event.count,
        });
        if let Err(error) = writeln!(self.0, "{line}") {
            log::error!("an audit event could not be written as a line of JSON: {error}");
        }
    }
}
