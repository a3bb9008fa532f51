//! Changes clients at a set pace in a process of its own, on the data folder of a server that is running: the
//! description of one client after the other.
//!
//! Usage: `steady-changes DATA_DIR PUBLIC_URL SECONDS RATE FILE`: RATE changes a second of the clients in the lines of
//! FILE, which begin with an id. Prints how many were made. Not a part of the product.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sealwright::app::{self, Purposes};
use sealwright::clock::Clock;
use sealwright::config::{Config, Flags};
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{Changes, CredentialInput, CredentialKind};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: steady-changes DATA_DIR PUBLIC_URL SECONDS RATE FILE";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data_dir, public_url, seconds, rate, file] = arguments.as_slice() else { return Err(USAGE.into()) };
    let text = std::fs::read_to_string(file)?;
    let clients: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let flags = Flags { data_dir: Some(data_dir.into()), public_url: Some(public_url.clone()), ..Flags::default() };
    let config = Config::load(&flags)?;
    let services = app::open(&config, config.server.listen, Purposes::Serve, Clock::system()).await?;
    let origin = services.recorder.events().system_origin("steady changes")?;
    let (start, rate): (Instant, f64) = (Instant::now(), rate.parse()?);
    let length = Duration::from_secs(seconds.parse()?);
    let mut made = 0_u32;
    for client in clients.iter().cycle() {
        let due = Duration::from_secs_f64(f64::from(made) / rate);
        if due.max(start.elapsed()) >= length {
            break;
        }
        tokio::time::sleep_until((start + due).into()).await;
        let description = Some(format!("change {made}").parse()?);
        let changes = Changes { description, ..Changes::default() };
        let input = CredentialInput { changes, ..CredentialInput::default() };
        let kind = CredentialKind::Client;
        services.credentials.update(&Caller::System, kind, client, input, Arc::clone(&origin)).await?;
        made += 1;
    }
    writeln!(std::io::stdout(), "{made}")?;
    Ok(())
}
