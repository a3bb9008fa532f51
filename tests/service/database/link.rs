//! The network between a process and its database, which a test cuts and restores.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything passes.
    Whole,
    /// Connections end, and there are no new ones.
    Cut,
    /// Nothing passes, in either direction, and nothing says so. What was sent arrives later.
    Silent,
    /// It has gone with its test.
    Gone,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Shared {
    /// Waits while nothing passes, and returns whether something passes now.
    fn passes(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.changed.wait_while(state, |state| *state == State::Silent).unwrap();
        *state == State::Whole
    }
}

/// A port that leads to a database server.
pub struct Link {
    shared: Arc<Shared>,
    port: u16,
    accepting: Option<JoinHandle<()>>,
}

impl Link {
    /// Leads to the address of a URL.
    pub fn to(url: &str) -> Self {
        let target = address_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, changed, open) = (Mutex::new(State::Whole), Condvar::new(), Mutex::default());
        let shared = Arc::new(Shared { state, changed, open });
        let own = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if *own.state.lock().unwrap() == State::Gone {
                    return;
                }
                if own.passes() {
                    connect(&own, near, &target);
                }
            }
        });
        Self { shared, port, accepting: Some(accepting) }
    }

    /// The same URL by way of this link.
    pub fn url(&self, url: &str) -> String {
        url.replace(address_of(url), &format!("127.0.0.1:{}", self.port))
    }

    /// Makes the network so from now on.
    pub fn set(&self, state: State) {
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.shared.changed.notify_all();
        if matches!(state, State::Cut | State::Gone) {
            for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                let _ended_already = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.set(State::Gone);
        let _wakes_the_listener = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ended = accepting.join();
        }
    }
}

fn address_of(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').unwrap();
    rest.split('/').next().unwrap()
}

fn connect(shared: &Arc<Shared>, near: TcpStream, target: &str) {
    let Ok(far) = TcpStream::connect(target) else { return };
    let clone = |stream: &TcpStream| stream.try_clone().unwrap();
    shared.open.lock().unwrap().extend([clone(&near), clone(&far)]);
    for (from, to) in [(clone(&near), clone(&far)), (far, near)] {
        let shared = Arc::clone(shared);
        std::thread::spawn(move || pass(&shared, from, to));
    }
}

fn pass(shared: &Shared, mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut bytes) {
        if read == 0 || !shared.passes() || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ended_already = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
