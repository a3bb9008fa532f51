//! Fills a data folder for the load script: clients with secrets that work, secrets that were right once, and copies of
//! a client by the million. Run it while no server uses the folder.
//!
//! Usage: `seed-clients DATA_DIR PUBLIC_URL COUNT ROTATED COPIES`. `COUNT` clients are written to standard output, a line
//! each: `live`, id, secret. Of them the first `ROTATED` get a new secret; their old ones stand in lines that begin with
//! `rotated`. `COPIES` rows are copied from the last client; nobody knows a secret of these. Not a part of the product.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use sealwright::app::{self, Purposes, system_origin};
use sealwright::config::{Config, Flags};
use sealwright::domain::caller::Caller;
use sealwright::domain::time::Duration;
use sealwright::service::belonging::NewPlace;
use sealwright::service::clients::ClientInput;
use sealwright::service::input::Patch;

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

const PLACE: NewPlace<'_> = NewPlace { environment: Some("production"), owner: None };

fn client() -> ClientInput {
    ClientInput {
        name: Patch::Set("load".to_owned()),
        scopes: Patch::Set(vec!["orders:read".to_owned(), "orders:write".to_owned()]),
        rate_per_minute: Patch::Clear,
        burst_per_second: Patch::Clear,
        ..ClientInput::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let config = Config::load(&Flags {
        data_dir: Some(arguments.data_dir.clone()),
        public_url: Some(arguments.public_url.clone()),
        ..Flags::default()
    })?;
    let services = app::open(&config, config.server.listen, Purposes::Serve).await?;
    let origin = system_origin("seed clients")?;
    let mut out = std::io::stdout().lock();
    let mut last = None;
    for number in 0..arguments.count {
        let (made, secret) =
            services.create_client(&Caller::System, PLACE, client(), None, Arc::clone(&origin)).await?;
        let id = made.id.as_str();
        if number < arguments.rotated {
            writeln!(out, "rotated {id} {}", secret.expose())?;
            let (_, new) =
                services.rotate_client_secret(&Caller::System, id, Duration::ZERO, None, Arc::clone(&origin)).await?;
            writeln!(out, "live {id} {}", new.expose())?;
        } else {
            writeln!(out, "live {id} {}", secret.expose())?;
        }
        last = Some(made.id);
    }
    drop(services);
    match last {
        Some(last) if arguments.copies > 0 => copy(&arguments, last.as_str()),
        _ => Ok(()),
    }
}

/// Copies a client and its secrets. The copies' ids are ordered by time, as true ones are, and spread over about four
/// months before the original.
fn copy(arguments: &Arguments, original: &str) -> Result<(), Failure> {
    let file = arguments.data_dir.join("sealwright.db");
    let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
    connection.batch_execute("PRAGMA busy_timeout = 10000")?;
    let mut columns = |table: &str, apart: &[&str]| -> Result<String, Failure> {
        let all = columns_of(&mut connection, table)?;
        Ok(all.into_iter().filter(|name| !apart.contains(&name.as_str())).collect::<Vec<_>>().join(", "))
    };
    let of_client = columns("clients", &["id"])?;
    let of_secret = columns("client_secrets", &["id", "client_id"])?;
    let copies = arguments.copies;
    connection.batch_execute(&format!(
        "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000; \
         CREATE TEMP TABLE copies AS \
             WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {copies}) \
             SELECT printf('%012x7%s', unixepoch() * 1000 - 10000 * ({copies} - n + 1), \
                           substr(lower(hex(randomblob(10))), 1, 19)) AS digits FROM number; \
         BEGIN IMMEDIATE; \
         INSERT INTO clients (id, {of_client}) \
             SELECT 'cli_' || digits, {of_client} FROM copies, clients WHERE clients.id = '{original}'; \
         INSERT INTO client_secrets (id, client_id, {of_secret}) \
             SELECT 'sec_' || digits, 'cli_' || digits, {of_secret} FROM copies, client_secrets \
             WHERE client_secrets.client_id = '{original}'; \
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
