//! The server inside the test's own process. The only file of these tests that uses the crate under test; everything
//! else sees the service from outside.

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sealwright::SharedServices;
use sealwright::app::{self, Purposes};
use sealwright::clock::{Clock, ManualClock};
use sealwright::config::{Config, Flags};
use sealwright::domain::audit::EventFilter;
use sealwright::domain::caller::Caller;
use sealwright::domain::time::Timestamp;
use sealwright::{http, jobs};
use tokio::sync::{mpsc as tokio_mpsc, oneshot};

/// What panicked in threads of servers.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A clock for a server: the system's, moved by what the test says.
#[derive(Clone)]
pub struct TestClock {
    clock: Clock,
    hands: ManualClock,
}

impl TestClock {
    /// One that has not been moved yet.
    pub fn new() -> Self {
        let (clock, hands) = Clock::moved();
        Self { clock, hands }
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    /// Moves it by milliseconds, back if they are negative.
    pub fn advance(&self, millis: i64) {
        self.hands.advance_millis(millis);
    }
}

/// Work that a server otherwise does by itself every few seconds.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Stores when credentials were last used, and how many refusals were counted.
    StoreNotes,
    /// Rotates signing keys and flags credentials that are due.
    KeepKeys,
    /// Writes what epochs have ended into rows and events.
    ExpandEpochs,
}

/// A server in a thread of its own; dropped, it has ended.
pub struct InProcess {
    work: tokio_mpsc::UnboundedSender<(Work, mpsc::Sender<()>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the server's thread gets.
struct Orders {
    work: tokio_mpsc::UnboundedReceiver<(Work, mpsc::Sender<()>)>,
    stop: oneshot::Receiver<()>,
    report: mpsc::Sender<Result<(), String>>,
}

impl InProcess {
    /// Serves on `listener` by the settings of a file, and returns once requests are accepted.
    pub fn start(settings: &Path, listener: TcpListener, clock: &TestClock) -> Self {
        record_panics();
        let (stop, stopped) = oneshot::channel();
        let (work, ordered) = tokio_mpsc::unbounded_channel();
        let (report, started) = mpsc::channel();
        let orders = Orders { work: ordered, stop: stopped, report: report.clone() };
        let flags = Flags { config: Some(settings.to_owned()), ..Flags::default() };
        let clock = clock.clock.clone();
        let server = move || {
            if let Err(error) = http::runtime().block_on(serve(&flags, listener, clock, orders)) {
                let _nobody_waits = report.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(server).unwrap();
        started.recv_timeout(Duration::from_secs(60)).expect("the server did not start").unwrap();
        Self { work, stop: Some(stop), thread: Some(thread) }
    }

    /// Does some of its work now.
    pub fn work(&self, work: Work) {
        let (done, is_done) = mpsc::channel();
        self.work.send((work, done)).unwrap();
        is_done.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}

async fn serve(flags: &Flags, listener: TcpListener, clock: Clock, orders: Orders) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let config = Config::load(flags).map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let services = app::open(&config, address, Purposes::Serve, clock).await.map_err(text)?;
    jobs::start(&services).await;
    let Orders { work, stop, report } = orders;
    tokio::spawn(work_as_told(services.clone(), work));
    let stop = http::Stop::When(Box::pin(async {
        let _dropped_or_told = stop.await;
    }));
    let ready = || report.send(Ok(())).unwrap();
    let served =
        http::serve(&config, services.clone(), http::UnreadHeads::default(), listener, stop, ready).await.map_err(text);
    jobs::stop(&services).await;
    served
}

async fn work_as_told(services: SharedServices, mut work: tokio_mpsc::UnboundedReceiver<(Work, mpsc::Sender<()>)>) {
    while let Some((work, done)) = work.recv().await {
        match work {
            Work::StoreNotes => {
                services.operations.store_summaries().await;
                // Where a test lets it fail, the next call stores what is left.
                let _put_back = services.operations.store_last_uses().await;
            }
            Work::KeepKeys => jobs::keep_keys_once(&services).await.unwrap(),
            Work::ExpandEpochs => services.operations.expand_epochs().await.unwrap(),
        }
        let _nobody_waits = done.send(());
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// What has panicked in servers' threads so far, in any test of this process.
pub fn panics() -> Vec<String> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Test threads have their tests' names, and the threads that tests start have none; servers' threads have others.
fn record_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            if thread.name().is_some_and(|name| name != "main" && !name.contains("::")) {
                PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(panic.to_string());
            }
            previous(panic);
        }));
    });
}

/// What the installation of these settings stores as the digests of one secret for each of these clients.
pub fn secret_digests(settings: &Path, clients: &[String], secret: &str) -> Vec<Vec<u8>> {
    let config = Config::load(&Flags { config: Some(settings.to_owned()), ..Flags::default() }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = app::open(&config, config.server.listen, Purposes::Command, Clock::system());
    let services = runtime.block_on(opened).unwrap();
    let digester = &services.credentials.secrets.digester;
    clients.iter().map(|client| digester.digest(client, secret).to_bytes()).collect()
}

/// How many events the first page of 50 has for each of these filters in the installation of these settings.
pub fn first_pages<'f>(settings: &Path, filters: &[(&'f str, &'f str)]) -> Vec<((&'f str, &'f str), usize)> {
    let config = Config::load(&Flags { config: Some(settings.to_owned()), ..Flags::default() }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let services = app::open(&config, config.server.listen, Purposes::Command, Clock::system()).await.unwrap();
        let mut pages = Vec::new();
        for &(name, value) in filters {
            let mut filter = EventFilter::default();
            let text = Some(value.to_owned());
            match name {
                "environment" => filter.environment = text,
                "action" => filter.action = value.parse().ok(),
                "outcome" => filter.outcome = value.parse().ok(),
                "reason" => filter.reason = value.parse().ok(),
                "actor" => filter.actor = text,
                "credential" => filter.credential = text,
                "customer" => filter.customer = text,
                "target" => filter.target = text,
                "address" => filter.address = value.parse().ok(),
                _ => panic!("{name} is no filter"),
            }
            let origin = services.recorder.events().system_origin("test").unwrap();
            let page = services.insight.list_events(&Caller::System, filter, 50, origin).await.unwrap();
            pages.push(((name, value), page.rows.len()));
        }
        pages
    })
}

/// Every permission of the management API.
pub fn permissions() -> impl Iterator<Item = &'static str> {
    sealwright::domain::permission::ALL.iter().copied()
}

/// The lowest id that an event of this time may have.
pub fn first_event_id(millis: i64) -> String {
    sealwright::domain::ids::EventId::floor(Timestamp::from_millis(millis)).to_string()
}
