//! Fills a data folder for the load program: clients with valid secrets, secrets that were replaced, and copies of a
//! client by the million. Run it while no server uses the folder.
//!
//! Usage: `seed-clients DATA_DIR PUBLIC_URL COUNT ROTATED COPIES`. It prints one line for each of
//! `COUNT` clients: `live`, id, secret. The first `ROTATED` of them get a new secret; lines that begin with `rotated`
//! have the old ones. `COPIES` rows are copied from the last client, with unknown secrets. Not a part of the product.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use sealwright::app::{self, Purposes};
use sealwright::clock::Clock;
use sealwright::config::{Config, Flags};
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{Changes, CredentialInput, CredentialKind, NewCredential, NewKind};
use sealwright::domain::environment::Environment;
use sealwright::domain::patch::Patch;
use sealwright::domain::time::Duration;

type Failure = Box<dyn std::error::Error>;

struct Arguments {
    data_dir: PathBuf,
    public_url: String,
    count: usize,
    rotated: usize,
    copies: u64,
}

impl Arguments {
    fn read() -> Result<Self, Failure> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [data_dir, public_url, count, rotated, copies] = arguments.as_slice() else {
            return Err("usage: seed-clients DATA_DIR PUBLIC_URL COUNT ROTATED COPIES".into());
        };
        Ok(Self {
            data_dir: data_dir.into(),
            public_url: public_url.clone(),
            count: count.parse()?,
            rotated: rotated.parse()?,
            copies: copies.parse()?,
        })
    }
}

fn new(kind: NewKind, scopes: &str) -> Result<NewCredential, Failure> {
    let changes = Changes {
        name: Some("load".parse()?),
        scopes: Some(scopes.parse()?),
        rate_per_minute: Patch::Clear,
        burst_per_second: Patch::Clear,
        ..Changes::default()
    };
    let input = CredentialInput { changes, ..CredentialInput::default() };
    Ok(NewCredential { kind, environment: Some(Environment::Production), owner: None, input })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let config = Config::load(&Flags {
        data_dir: Some(arguments.data_dir.clone()),
        public_url: Some(arguments.public_url.clone()),
        ..Flags::default()
    })?;
    let services = app::open(&config, config.server.listen, Purposes::Serve, Clock::system()).await?;
    let origin = services.recorder.events().system_origin("seed clients")?;
    let (credentials, caller, kind) = (&services.credentials, Caller::System, CredentialKind::Client);
    let mut out = std::io::stdout().lock();
    let mut last = None;
    for number in 0..arguments.count {
        let new = new(NewKind::Client, "orders:read orders:write")?;
        let mut issued = credentials.create(&caller, new, None, Arc::clone(&origin)).await?;
        let id = issued.tied.credential.id.to_string();
        if number < arguments.rotated {
            writeln!(out, "rotated {id} {}", issued.secret.as_ref().map_or("", |secret| secret.expose()))?;
            issued = credentials.rotate(&caller, kind, &id, Duration::ZERO, None, Arc::clone(&origin)).await?;
        }
        writeln!(out, "live {id} {}", issued.secret.as_ref().map_or("", |secret| secret.expose()))?;
        last = Some(id);
    }
    drop(services);
    match last {
        Some(last) if arguments.copies > 0 => copy(&arguments, &last),
        _ => Ok(()),
    }
}

/// Copies a client and its secrets. The copies' ids are ordered by time, as real ones are, and spread over about four
/// months before the original.
fn copy(arguments: &Arguments, original: &str) -> Result<(), Failure> {
    let file = arguments.data_dir.join("sealwright.db");
    let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
    connection.batch_execute("PRAGMA busy_timeout = 10000")?;
    let mut columns = |table: &str, apart: &[&str]| -> Result<String, Failure> {
        let all = columns_of(&mut connection, table)?;
        Ok(all.into_iter().filter(|name| !apart.contains(&name.as_str())).collect::<Vec<_>>().join(", "))
    };
    let of_client = columns("credentials", &["id"])?;
    let of_secret = columns("credential_secrets", &["id", "credential"])?;
    let copies = arguments.copies;
    connection.batch_execute(&format!(
        "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000; \
         CREATE TEMP TABLE copies AS \
             WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {copies}) \
             SELECT printf('%012x7%s', unixepoch() * 1000 - 10000 * ({copies} - n + 1), \
                           substr(lower(hex(randomblob(10))), 1, 19)) AS digits FROM number; \
         BEGIN IMMEDIATE; \
         INSERT INTO credentials (id, {of_client}) \
             SELECT 'cli_' || digits, {of_client} FROM copies, credentials WHERE credentials.id = '{original}'; \
         INSERT INTO credential_secrets (id, credential, {of_secret}) \
             SELECT 'sec_' || digits, 'cli_' || digits, {of_secret} FROM copies, credential_secrets \
             WHERE credential_secrets.credential = '{original}'; \
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
    ))?;
    Ok(())
}

fn columns_of(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>, Failure> {
    use diesel::RunQueryDsl as _;
    #[derive(diesel::QueryableByName)]
    struct Column {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let columns: Vec<Column> =
        diesel::sql_query(format!("SELECT name FROM pragma_table_info('{table}')")).load(connection)?;
    Ok(columns.into_iter().map(|column| column.name).collect())
}
