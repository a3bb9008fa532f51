//! Fills a data folder for the load program with API keys: some with known values, and others by the million with
//! unknown values. Run it while no server uses the folder.
//!
//! Usage: `seed-keys DATA_DIR PUBLIC_URL COUNT COPIES`. It prints a line `verifier`, key, and a
//! line `key`, key for each of `COUNT` keys. `COPIES` further rows have unknown values. Not a part of the product.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use sealwright::app::{self, Purposes};
use sealwright::clock::Clock;
use sealwright::config::{Config, Flags};
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{
    Changes, CredentialInput, KeyType, NewCredential, NewKind, RANDOM_LENGTH, RawApiKey,
};
use sealwright::domain::environment::Environment;
use sealwright::domain::patch::Patch;
use sealwright::parts::{random, sha256};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: seed-keys DATA_DIR PUBLIC_URL COUNT COPIES";

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data_dir, public_url, count, copies] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (data_dir, count, copies): (PathBuf, u64, u64) = (data_dir.into(), count.parse()?, copies.parse()?);
    let flags = Flags { data_dir: Some(data_dir.clone()), public_url: Some(public_url.clone()), ..Flags::default() };
    let config = Config::load(&flags)?;
    let services = app::open(&config, config.server.listen, Purposes::Serve, Clock::system()).await?;
    let origin = services.recorder.events().system_origin("seed keys")?;
    let kind = NewKind::ApiKey(KeyType::Partner);
    let verifier = new(kind, "sealwright.keys:verify")?;
    let verifier = services.credentials.create(&Caller::System, verifier, None, origin.clone()).await?;
    let original = new(kind, "orders:read orders:write")?;
    let original = services.credentials.create(&Caller::System, original, None, origin).await?.tied.credential;
    drop(services);
    println_key("verifier", verifier.secret.as_ref().map_or("", |key| key.expose()))?;
    copy(&data_dir, original.id.as_str(), &config, count, copies)
}

fn println_key(kind: &str, key: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{kind} {key}")
}

/// Copies a key. The copies' ids are ordered by time, as real ones are, and spread over the time before the original.
fn copy(data_dir: &Path, original: &str, config: &Config, count: u64, copies: u64) -> Result<(), Failure> {
    let mut connection = SqliteConnection::establish(&data_dir.join("sealwright.db").to_string_lossy())?;
    let all = count + copies;
    let columns = "kind, environment, name, description, scopes, allowed_ips, rate_per_minute, burst_per_second, \
                   state, expires_at, owner, created_at, updated_at, rotated_at, key_type, metadata";
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000; \
         CREATE TEMP TABLE copies AS \
             WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {all}) \
             SELECT n, printf('%012x7%s', unixepoch() * 1000 - 10000 * ({all} - n + 1), \
                              substr(lower(hex(randomblob(10))), 1, 19)) AS digits FROM number; \
         BEGIN IMMEDIATE; \
         INSERT INTO credentials (id, {columns}) \
             SELECT 'key_' || digits, {columns} FROM copies, credentials WHERE credentials.id = '{original}'; \
         INSERT INTO credential_secrets (id, digest, credential, prefix, last_four, created_at) \
             SELECT 'sec_' || digits, randomblob(32), 'key_' || digits, 'sw_live_0000', '0000', 0 FROM copies \
             WHERE n > {count};"
    ))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in 1..=count {
        let text = RawApiKey::compose(&config.key_brand, Environment::Production, &random::base62(RANDOM_LENGTH)?);
        diesel::sql_query(
            "INSERT INTO credential_secrets (id, digest, credential, prefix, last_four, created_at) \
             SELECT 'sec_' || digits, ?, 'key_' || digits, 'sw_live_0000', '0000', 0 FROM copies WHERE rowid = ?",
        )
        .bind::<diesel::sql_types::Binary, _>(sha256(text.expose().as_bytes()).as_slice())
        .bind::<diesel::sql_types::BigInt, _>(i64::try_from(number)?)
        .execute(&mut connection)?;
        writeln!(out, "key {}", text.expose())?;
    }
    connection.batch_execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}
