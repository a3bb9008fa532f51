//! Fills a database with credentials, ties and events by the million, and measures lists, the start, and tokens of
//! clients in rotation on it: `benches/README.md` explains the figures.
//!
//! Usage: `cargo run --release --example millions -- DATA_DIR --credentials 1000000 --events 10000000
//! [--database-url postgres://…]`. What the database lacks of them is added first. Not a part of the product.

#![allow(clippy::print_stdout)] // the figures

mod measure;
mod seed;
mod sql;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use sealwright::SharedServices;
use sealwright::app::{self, Purposes};
use sealwright::clock::Clock;
use sealwright::config::{Config, Flags};
use sealwright::domain::audit::Origin;
use sealwright::parts::random;

type Failure = Box<dyn std::error::Error>;

/// Measure lists, the start and tokens with credentials by the million
#[derive(Parser)]
struct Options {
    /// The data folder
    data_dir: PathBuf,
    /// A PostgreSQL database; SQLite in the data folder unless given
    #[arg(long)]
    database_url: Option<String>,
    /// Credentials, half of them clients
    #[arg(long, default_value_t = 1_000_000)]
    credentials: u64,
    /// Customers; half of the credentials are tied to one each
    #[arg(long, default_value_t = 100_000)]
    customers: u64,
    /// Audit events
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Token requests in each run
    #[arg(long, default_value_t = 100_000)]
    tokens: u64,
    /// What is measured, in this order
    #[arg(long, value_delimiter = ',', default_value = "start,cold,keys,lists,index,events,jobs,tokens")]
    measure: Vec<Part>,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Starts of the program
    Start,
    /// Tokens of clients that the program has not seen
    Cold,
    /// Verifying keys, and their memory
    Keys,
    /// Lists of credentials
    Lists,
    /// Positions and index of events
    Index,
    /// Lists of events
    Events,
    /// Flagging what is due
    Jobs,
    /// Tokens of clients in rotation
    Tokens,
}

impl Options {
    fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&Flags {
            data_dir: Some(self.data_dir.clone()),
            database_url: self.database_url.clone(),
            ..Flags::default()
        })?)
    }
}

async fn open(config: &Config) -> Result<SharedServices, Failure> {
    Ok(app::open(config, config.server.listen, Purposes::Serve, Clock::system()).await?)
}

fn origin() -> Result<Arc<Origin>, Failure> {
    let now = Clock::system().now();
    Ok(Arc::new(Origin {
        request_id: random::id(now)?,
        method: "POST".into(),
        path: "/bench".to_owned(),
        address: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)),
        user_agent: "bench".to_owned(),
        gateway_request_id: None,
        received_at: now,
        started: Instant::now(),
    }))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let config = options.config()?;
    let services = open(&config).await?;
    let mut database = sql::Database::open(&options)?;
    if database.count("credentials")? < options.credentials {
        seed::credentials(&options, &services, &mut database).await?;
    }
    let events = database.count("audit_log")?;
    seed::events(&options, &mut database, events)?;
    for table in ["credentials", "credential_customers", "audit_log"] {
        println!("{table}: {} rows", database.count(table)?);
    }
    for part in &options.measure {
        match part {
            Part::Start => measure::start(&config).await?,
            Part::Cold => measure::cold(&services, &options).await?,
            Part::Keys => measure::keys(&services, &options).await?,
            Part::Lists => measure::lists(&services, &options).await?,
            Part::Index => measure::index(&services).await?,
            Part::Events => measure::events(&services, &options).await?,
            Part::Jobs => measure::jobs(&services).await?,
            Part::Tokens => measure::tokens(&services, &options).await?,
        }
    }
    Ok(())
}
