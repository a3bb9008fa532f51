//! The server inside the test's own process. The only file of these tests that uses the crate under test; everything
//! else sees the service from outside.

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sealwright::app::{self, Purposes};
use sealwright::config::{Config, Flags};
use sealwright::{http, jobs};
use tokio::sync::oneshot;

/// What panicked in threads of servers.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A server in a thread of its own; dropped, it has ended.
pub struct InProcess {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Serves on `listener` by the settings of a file, and returns once requests are accepted.
    pub fn start(settings: &Path, listener: TcpListener) -> Self {
        record_panics();
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let flags = Flags { config: Some(settings.to_owned()), ..Flags::default() };
        let server = move || {
            if let Err(error) = http::runtime().block_on(serve(&flags, listener, stopped, report.clone())) {
                let _nobody_waits = report.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(server).unwrap();
        started.recv_timeout(Duration::from_secs(60)).expect("the server did not start").unwrap();
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

async fn serve(
    flags: &Flags,
    listener: TcpListener,
    stopped: oneshot::Receiver<()>,
    report: Sender<Result<(), String>>,
) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let config = Config::load(flags).map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let services = app::open(&config, address, Purposes::Serve).await.map_err(text)?;
    let followed = services.start_following().await.map_err(text)?;
    services.reload_keyring().await.map_err(text)?;
    jobs::start(&services, followed);
    let stop = http::Stop::When(Box::pin(async {
        let _dropped_or_told = stopped.await;
    }));
    let ready = || report.send(Ok(())).unwrap();
    http::serve(&config, services, listener, stop, ready).await.map_err(text)
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

/// Every permission of the management API.
pub fn permissions() -> impl Iterator<Item = &'static str> {
    sealwright::domain::permission::ALL.into_iter()
}

/// The lowest id that an event of this time may have.
pub fn first_event_id(millis: i64) -> String {
    use sealwright::domain::{ids::EventId, time::Timestamp};
    EventId::floor(Timestamp::from_millis(millis)).to_string()
}
