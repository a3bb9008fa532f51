//! Sends token requests at a fixed rate, which a load generator that sends as fast as it can cannot do: warm clients in
//! rotation, cold clients (each once), and a flood of wrong secrets at the same time, all from one address.
//!
//! Usage: `paced-load ADDRESS SECONDS GROUP…`, a group being `NAME:RATE:FILE`: RATE requests a second with the lines of
//! FILE, each an id and a secret. The group `cold` ends with its file; others start it again. The response to `flood`
//! must be 401 or 429, to others 200. Prints one line for each group: name, requests with the expected response, with
//! another one, failed, p50, p99 and longest in microseconds. The time of a request that had to wait for its turn
//! counts from the moment when it was due. Not a part of the product.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const USAGE: &str = "usage: paced-load ADDRESS SECONDS NAME:RATE:FILE…";
/// Connections of a group: a request waits only while all of these wait for responses.
const CONNECTIONS: usize = 64;
/// Longest wait for a response.
const PATIENCE: Duration = Duration::from_secs(20);

struct Group {
    name: String,
    rate: f64,
    requests: Vec<String>,
    next: AtomicUsize,
}

#[derive(Default)]
struct Tally {
    micros: Vec<u128>,
    otherwise: usize,
    failed: usize,
}

impl Group {
    fn read(argument: &str, address: &str) -> Result<Self, String> {
        let mut parts = argument.splitn(3, ':');
        let (Some(name), Some(rate), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(USAGE.to_owned());
        };
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Ok(Self {
            name: name.to_owned(),
            rate: rate.parse().map_err(|_| USAGE)?,
            requests: lines.map(|(id, secret)| request(address, id, secret)).collect(),
            next: AtomicUsize::new(0),
        })
    }

    fn is_expected(&self, status: u16) -> bool {
        if self.name == "flood" { status == 401 || status == 429 } else { status == 200 }
    }

    /// The next request with the moment when it is due, in seconds after the start.
    fn take(&self) -> Option<(f64, &str)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = if self.name == "cold" { number } else { number % self.requests.len().max(1) };
        #[allow(clippy::cast_precision_loss)] // a run has far fewer requests than 2^52
        let due = number as f64 / self.rate;
        self.requests.get(at).map(|request| (due, request.as_str()))
    }
}

fn request(address: &str, id: &str, secret: &str) -> String {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    format!(
        "POST /api/oauth/token HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends the group's requests over one connection, as their turns come.
async fn send(group: Arc<Group>, address: String, start: Instant, end: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    while let Some((after, request)) = group.take() {
        let due = start + Duration::from_secs_f64(after);
        if due >= end {
            break;
        }
        let mut begun = due;
        if Instant::now() < due {
            tokio::time::sleep_until(due.into()).await;
            begun = Instant::now();
        }
        match tokio::time::timeout(PATIENCE, exchange(&mut connection, &address, request)).await {
            Ok(Ok(status)) if group.is_expected(status) => tally.micros.push(begun.elapsed().as_micros()),
            Ok(Ok(_)) => tally.otherwise += 1,
            Ok(Err(_)) | Err(_) => {
                connection = None;
                tally.failed += 1;
            }
        }
    }
    tally
}

/// One request and the status of its response, which is read to its end.
async fn exchange(connection: &mut Option<TcpStream>, address: &str, request: &str) -> std::io::Result<u16> {
    let broken = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    if connection.is_none() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        *connection = Some(stream);
    }
    let stream = connection.as_mut().ok_or_else(broken)?;
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::with_capacity(2048);
    loop {
        if stream.read_buf(&mut response).await? == 0 {
            return Err(broken());
        }
        let text = std::str::from_utf8(&response).map_err(|_| broken())?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.ok_or_else(broken)? {
            return head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(broken);
        }
    }
}

fn report(name: &str, tallies: Vec<Tally>) -> String {
    let mut all = Tally::default();
    for tally in tallies {
        all.micros.extend(tally.micros);
        all.otherwise += tally.otherwise;
        all.failed += tally.failed;
    }
    all.micros.sort_unstable();
    let count = all.micros.len();
    let at = |percent: usize| all.micros.get((count * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
    format!("{name} {count} {} {} {} {} {}\n", all.otherwise, all.failed, at(50), at(99), at(100))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, seconds, groups @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let start = Instant::now() + Duration::from_millis(200);
    let end = start + Duration::from_secs(seconds.parse()?);
    let mut running = Vec::new();
    for argument in groups {
        let group = Arc::new(Group::read(argument, address)?);
        let senders: Vec<_> =
            (0..CONNECTIONS).map(|_| tokio::spawn(send(Arc::clone(&group), address.clone(), start, end))).collect();
        running.push((group, senders));
    }
    let mut text = String::new();
    for (group, senders) in running {
        let tallies: Result<Vec<_>, _> = futures_util::future::join_all(senders).await.into_iter().collect();
        text.push_str(&report(&group.name, tallies?));
    }
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}
